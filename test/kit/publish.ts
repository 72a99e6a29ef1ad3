import type { SnapshotStore } from '@turnout/router-core';

export interface Publisher {
  /** @returns the revision of the snapshot */
  publish: (experiments: readonly unknown[]) => Promise<number>;
}

/** Publishes experiments as the API does, with the next revision each time. */
export function createPublisher(store: SnapshotStore, first = 1): Publisher {
  let revision = first - 1;
  return {
    async publish(experiments: readonly unknown[]): Promise<number> {
      const next = { format: 1, revision: revision + 1, publishedAt: Date.now(), experiments };
      await store.publish(JSON.stringify(next));
      revision += 1;
      return revision;
    },
  };
}
