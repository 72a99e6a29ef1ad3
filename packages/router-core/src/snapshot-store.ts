/**
 * Where the experiments are published for all edges: one text, replaced whole. What it says is
 * for its readers to know; here it is carried.
 */
export interface SnapshotStore {
  /** Replaces what is published, and tells all who follow. Rejects when it cannot be reached. */
  publish(text: string): Promise<void>;
  /** What is published; undefined when nothing ever was. Rejects when it cannot be reached. */
  latest(): Promise<string | undefined>;
  /**
   * Calls back with what is published: soon with what is there, and within a second of any
   * change, by push where the store can push and by a poll behind it. A text is told once
   * until it changes. While the store is out of reach nothing is told, and it is asked again.
   */
  follow(listener: (text: string) => void): { close(): void };
  /** Lets go of files and connections. Can be called twice. */
  close(): Promise<void>;
}
