// All servers of the stack: started tier by tier, stopped in reverse.

import { logPath } from './log-files.ts';
import {
  SupervisedService,
  type Service,
  type ServiceFailed,
  type Supervision,
} from './supervised-service.ts';

export class Supervisor {
  /** Resolves when a service has crashed too often: the stack is to be taken down. */
  readonly givenUp: Promise<ServiceFailed>;
  readonly #logFolder: string;
  readonly #supervision: Supervision;
  readonly #tiers: SupervisedService[][] = [];
  #stopping: Promise<void> | undefined;

  constructor(logFolder: string, supervision: Omit<Supervision, 'onGivenUp'>) {
    const { promise, resolve } = Promise.withResolvers<ServiceFailed>();
    this.givenUp = promise;
    this.#logFolder = logFolder;
    this.#supervision = { ...supervision, onGivenUp: resolve };
  }

  /**
   * Starts services that need each other not, but may need those of earlier tiers.
   * Resolves when all are ready.
   *
   * @throws {ServiceFailed} the first failure; the others go on until `stop`
   */
  async startTier(services: readonly Service[]): Promise<void> {
    if (this.#stopping) return;
    const tier = services.map(
      (service) =>
        new SupervisedService(service, logPath(this.#logFolder, service.name), this.#supervision),
    );
    this.#tiers.push(tier);
    await Promise.all(tier.map((service) => service.start()));
  }

  /**
   * @throws {ServiceFailed} if it does not come up again
   * @throws {Error} if there is no service of that name
   */
  async restart(name: string): Promise<void> {
    if (this.#stopping) return;
    const found = this.#tiers.flat().find(({ service }) => service.name === name);
    if (!found) throw new Error(`No service is called ${name}.`);
    await found.restart();
  }

  /** Stops all, the last tier first, so that the edge drains while its upstreams serve. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#stopInReverse();
    await this.#stopping;
  }

  async #stopInReverse(): Promise<void> {
    for (const tier of this.#tiers.toReversed())
      await Promise.all(tier.map((service) => service.stop()));
  }
}
