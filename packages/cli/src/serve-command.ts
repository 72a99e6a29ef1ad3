import { Command } from 'commander';
import { CommandError, EXIT } from './command-error.ts';
import type { Context } from './context.ts';

/** `turnout serve`: the edge alone. */
export function serveCommand({ env }: Context): Command {
  return new Command('serve')
    .description('Run the edge: the reverse proxy in front of every variant.')
    .option('-c, --config <file>', 'configuration file', 'turnout.yaml')
    .addHelpText(
      'after',
      `
The smallest configuration is a plain reverse proxy, with no experiment, no store
and no other process:

  public: { port: 8080, hosts: ["*"] }
  upstreams:
    site: { url: http://127.0.0.1:3000 }
  default: site

Environment variables override the file:
  TURNOUT_PORT, TURNOUT_PRIVATE_PORT   ports for visitors, and for metrics and health
  TURNOUT_WORKERS                      worker processes (one for each core)
  TURNOUT_DATA_DIR                     where secrets and the embedded store are kept
  TURNOUT_REDIS_URL                    keep assignments in Redis, such as redis://127.0.0.1:6379
  TURNOUT_COOKIE_SECRETS               comma-separated; the first signs, all verify
  TURNOUT_<UPSTREAM>_URL               where an upstream is, such as TURNOUT_SITE_URL
`,
    )
    .action(async ({ config }: { config: string }) => {
      // The only command that needs the edge's code; the others start without it.
      const { serve } = await import('@turnout/edge');
      try {
        await serve({ configFile: config, env });
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new CommandError(message, EXIT.refused, { cause: error });
      }
    });
}
