import type { NextConfig } from 'next';

// Next reads this when it makes its telemetry client, which is after it has
// loaded this file; so nobody has to remember it on the command line.
process.env['NEXT_TELEMETRY_DISABLED'] = '1';

const config: NextConfig = {
  // The pages share the public address with the other frontends, so they keep
  // plain URLs (no basePath) and only what they load sits under our own prefix.
  // The optimiser's path must be told apart: it does not follow assetPrefix.
  assetPrefix: '/_mfe/next',
  images: {
    path: '/_mfe/next/_next/image',
    // Our pictures are 1600 pixels wide: larger sizes would only be longer lists.
    deviceSizes: [640, 828, 1080, 1600],
  },

  // Workspace packages export their TypeScript source.
  transpilePackages: ['@turnout/client', '@turnout/contracts'],

  // The edge is reached under both names; Next refuses its HMR socket and dev
  // assets to an Origin that is not listed.
  allowedDevOrigins: ['localhost', '127.0.0.1'],

  // Metadata in the head before the first byte, for everyone: a streamed
  // <title> lands in the body, and needs JavaScript to be moved.
  htmlLimitedBots: /.*/,

  poweredByHeader: false,
  agentRules: false,
};

export default config;
