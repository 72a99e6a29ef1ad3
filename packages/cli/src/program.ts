import { Command, type Argument } from 'commander';
import { allocateCommand } from './allocate-command.ts';
import { analyzeCommand } from './analyze-command.ts';
import { applyCommand } from './apply-command.ts';
import { archiveCommand } from './archive-command.ts';
import { completionCommand } from './completion-command.ts';
import { concludeCommand } from './conclude-command.ts';
import type { Context } from './context.ts';
import { diffCommand } from './diff-command.ts';
import { doctorCommand } from './doctor/doctor-command.ts';
import { explainCommand } from './explain-command.ts';
import { forgetCommand } from './forget-command.ts';
import { getCommand } from './get-command.ts';
import { EXIT_CODES } from './help.ts';
import { historyCommand } from './history-command.ts';
import { killCommand } from './kill-command.ts';
import { pauseCommand } from './pause-command.ts';
import { previewCommand } from './preview-command.ts';
import { rampCommand } from './ramp-command.ts';
import { reassignCommand } from './reassign-command.ts';
import { resumeCommand } from './resume-command.ts';
import { resultsCommand } from './results-command.ts';
import { revertCommand } from './revert-command.ts';
import { serveCommand } from './serve-command.ts';
import { simulateCommand } from './simulate-command.ts';
import manifest from '../package.json' with { type: 'json' };

/** The command with all its parts; it throws instead of ending the process. */
export function createProgram(context: Context): Command {
  const program = new Command('turnout')
    .description('Serves whole frontends as A/B test variants from one address.')
    .version(manifest.version)
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('(turnout --help lists the commands)')
    .configureHelp({
      sortSubcommands: true,
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
    })
    .exitOverride();
  const commands = [
    serveCommand,
    getCommand,
    applyCommand,
    diffCommand,
    allocateCommand,
    rampCommand,
    pauseCommand,
    resumeCommand,
    killCommand,
    concludeCommand,
    archiveCommand,
    analyzeCommand,
    resultsCommand,
    historyCommand,
    revertCommand,
    explainCommand,
    doctorCommand,
    previewCommand,
    simulateCommand,
    reassignCommand,
    forgetCommand,
    completionCommand,
  ];
  for (const create of commands) {
    program.addCommand(create(context).copyInheritedSettings(program));
  }
  return program;
}

function argumentTerm(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}
