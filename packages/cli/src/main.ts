#!/usr/bin/env node
import { Command } from 'commander';
import { doctorCommand } from './doctor/doctor-command.ts';
import { serveCommand } from './serve-command.ts';

const program = new Command('turnout')
  .description('Serves whole frontends as A/B test variants from one address.')
  .showHelpAfterError('(turnout --help lists the commands)')
  .configureHelp({ sortSubcommands: true })
  .addCommand(doctorCommand(process.env))
  .addCommand(serveCommand(process.env));

await program.parseAsync();
