import { z } from 'zod';
import { durationSchema } from './duration.ts';
import { experimentSchema, hostSchema } from './experiment.ts';
import { predicateSchema, textPatternSchema } from './predicate.ts';

const portSchema = z
  .int('expected a port number from 0 to 65535')
  .min(0, 'expected a port number from 0 to 65535')
  .max(65_535, 'expected a port number from 0 to 65535');

const upstreamNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected lower-case letters, digits and dashes (at most 32)');

const upstreamUrlSchema = z.string().superRefine((text, context) => {
  const problem = upstreamUrlProblem(text);
  if (problem !== undefined) {
    context.addIssue(
      `expected an upstream such as http://127.0.0.1:3000, got ${JSON.stringify(text)}: ${problem}`,
    );
  }
});

function upstreamUrlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'not a URL';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return `${url.protocol}// is not supported, only http:// and https://`;
  }
  if (url.username !== '' || url.password !== '') return 'leave out the user name and password';
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return 'leave out the path: requests keep their own';
  }
  return undefined;
}

const upstreamSchema = z.strictObject({
  url: upstreamUrlSchema,
  /** Connections per worker that are kept to it. */
  connections: z.int().min(1).max(10_000).default(256),
  timeouts: z
    .strictObject({
      connect: durationSchema.prefault('3s'),
      firstByte: durationSchema.prefault('30s'),
      idle: durationSchema.prefault('60s'),
      client: durationSchema.prefault('60s'),
    })
    .prefault({}),
});

const routeSchema = z.strictObject({
  path: z.string().startsWith('/', 'expected a path that begins with "/"'),
  host: hostSchema.exactOptional(),
  when: predicateSchema.exactOptional(),
  upstream: z.string(),
});

/**
 * `redis://host:port`; Sentinels and the name they know the primary by; or the nodes of a
 * Cluster. Of several servers, those after the first may leave the scheme out.
 */
function isRedisAddress(text: string): boolean {
  const sentinel = /^(rediss?)\+sentinel:\/\/([^/]+)\/[^/\s]+(\/\d+)?$/.exec(text);
  const nodes = sentinel === null ? text : `${sentinel[1]}://${sentinel[2]}`;
  return nodes.split(',').every((node, index) => {
    const address = index === 0 || node.includes('://') ? node : `redis://${node.trim()}`;
    if (!/^rediss?(\+cluster)?:\/\/\S+$/.test(address) || !URL.canParse(address)) return false;
    return new URL(address).hostname !== '';
  });
}

const originSchema = z
  .string()
  .refine(
    (text) =>
      URL.canParse(text) &&
      /^https?:$/.test(new URL(text).protocol) &&
      new URL(text).origin === text,
    'expected an origin such as https://shop.example, without a path',
  );

const networkSchema = z.union(
  [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
  'expected an address or a network such as 10.0.0.0/8 or fd00::/8',
);

const fieldNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'expected a header name such as CF-IPCountry')
  .transform((name) => name.toLowerCase());

/** `turnout.yaml`. Only `upstreams` and `default` must be there: that is a plain reverse proxy. */
export const configSchema = z.strictObject({
  public: z
    .strictObject({
      port: portSchema.default(8080),
      /** Address to listen on; every address of the machine unless given. */
      address: z.string().min(1).exactOptional(),
      /** Host names that are answered, without port; "*" allows any. */
      hosts: z.array(hostSchema).min(1).default(['localhost', '127.0.0.1', '[::1]']),
      /** What visitors type, for links that are made for people: `https://shop.example`. */
      url: originSchema.exactOptional(),
      /**
       * What stands in front of us and may say who a visitor is and whether by https: addresses
       * and networks, and the kind of fields that they write.
       */
      trustedHops: z
        .strictObject({
          addresses: z.array(networkSchema).min(1),
          fields: z.enum(['x-forwarded', 'forwarded']).default('x-forwarded'),
        })
        .exactOptional(),
    })
    .prefault({}),
  private: z
    .strictObject({
      port: portSchema.default(8090),
      address: z.string().min(1).default('127.0.0.1'),
    })
    .prefault({}),
  /** Worker processes; one for each core unless given. */
  workers: z.int().min(1).max(512).exactOptional(),
  /** What this edge is called in what it counts; the machine's host name unless given. */
  node: z.string().min(1).max(64).exactOptional(),
  /** Where what must outlive a restart is kept, relative to the configuration file. */
  dataDir: z.string().min(1).default('.turnout'),
  /** How long requests under way may take to end at a shutdown. */
  drain: durationSchema.prefault('10s'),
  /** Ledger and experiments: a Redis URL; without it, embedded stores in the data folder. */
  redis: z
    .string()
    .refine(
      isRedisAddress,
      'expected a URL such as redis://127.0.0.1:6379 or redis+sentinel://a:26379,b:26379/NAME',
    )
    .exactOptional(),
  /** How long a request may wait for the ledger before cookie and hash decide. */
  ledgerWait: durationSchema.prefault('25ms'),
  /** Events on their way to the event log. */
  events: z
    .strictObject({
      /** Bytes that each worker keeps on disk while the event log is out of reach. */
      spoolBytes: z.int().min(65_536).max(68_719_476_736).default(67_108_864),
    })
    .prefault({}),
  /** The first signs visitor cookies, all verify. Made once and kept in the data folder unless given. */
  cookieSecrets: z
    .array(z.string().min(16, 'expected at least 16 characters'))
    .min(1)
    .exactOptional(),
  upstreams: z.record(upstreamNameSchema, upstreamSchema),
  /** First match wins; what matches none goes to the experiments, then to `default`. */
  routes: z.array(routeSchema).default([]),
  default: z.string(),
  /**
   * Until a visitor sends this cookie, no cookie is set, nothing is counted, and experiments
   * give control.
   */
  consent: z
    .strictObject({ cookie: z.string().min(1), value: textPatternSchema.exactOptional() })
    .exactOptional(),
  /**
   * The header that holds the visitor's country. Name one only if all visitors come through
   * something that sets it: else they say what they like.
   */
  countryHeader: fieldNameSchema.exactOptional(),
  /**
   * Seeds: what runs until experiments are published, which then count instead. Without this
   * key (an empty list is one) the edge is a plain reverse proxy, and follows nothing.
   */
  experiments: z.array(experimentSchema).exactOptional(),
});

export type Config = z.infer<typeof configSchema>;
