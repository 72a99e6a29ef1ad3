/**
 * Events on their way from the edges to SQL: appended by any number of processes, read by a
 * group of readers, kept until they are acknowledged. What an event says is for others to
 * know; here it is a text.
 */

/** The edge's side. */
export interface EventLog {
  /**
   * Resolves once all of them are durable: they then survive a crash of this process and of the
   * log. Rejects when that can not be promised; some may be in the log all the same, so who
   * appends again sends the same ids.
   */
  append(events: readonly string[]): Promise<void>;
  /** Events that wait to be acknowledged; undefined when the log can not say. */
  lag(): Promise<number | undefined>;
  /** Finishes what was begun and lets go of files and connections. Can be called twice. */
  close(): Promise<void>;
}

/** An event as a reader gets it. */
export interface LoggedEvent {
  /** What `ack` takes; opaque. */
  readonly id: string;
  readonly text: string;
}

/** The API's side: one member of the group of readers. */
export interface EventReader {
  /**
   * Up to `limit` events that nobody has acknowledged: those that this reader got before and
   * left, those that another reader left for too long, then new ones. Waits up to `wait` ms for
   * the first. Rejects when the log is out of reach.
   */
  read(limit: number, wait: number): Promise<readonly LoggedEvent[]>;
  /** Lets the log drop them. */
  ack(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
