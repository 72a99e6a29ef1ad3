import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';

/*
 * A certificate authority for tests: X.509 (RFC 5280) in as much DER as it takes. Made anew
 * each time, so that there is no key to keep and no certificate to expire; and without the
 * openssl command, which not every machine has.
 */

/** What `tls.createServer()` wants, in PEM. */
export interface Identity {
  cert: string;
  key: string;
}

export interface Authority {
  /** Its own certificate, in PEM. */
  ca: string;
  /** @param name a DNS name, or an IPv4 address. */
  issue(name: string): Identity;
}

export function createAuthority(): Authority {
  const issuer = `Test authority ${randomBytes(4).toString('hex')}`;
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certify = (subject: string, publicKey: KeyObject, extension: Buffer): string =>
    certificate({ issuer, subject, publicKey, extension, signer: own.privateKey });
  return {
    ca: certify(issuer, own.publicKey, basicConstraints()),
    issue(name) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return {
        cert: certify(name, publicKey, subjectAltName(name)),
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      };
    },
  };
}

interface CertificateFields {
  issuer: string;
  subject: string;
  publicKey: KeyObject;
  extension: Buffer;
  signer: KeyObject;
}

function certificate(fields: CertificateFields): string {
  const day = 24 * 3600 * 1000;
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.of(2))), // version 3
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(fields.issuer),
    sequence(utcTime(Date.now() - day), utcTime(Date.now() + day)),
    commonName(fields.subject),
    fields.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(fields.extension)),
  );
  const signature = bitString(sign('sha256', toBeSigned, fields.signer));
  const whole = sequence(toBeSigned, ecdsaWithSha256, signature);
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function basicConstraints(): Buffer {
  return sequence(oid('551d13'), octetString(sequence(der(0x01, Buffer.of(0xff))))); // cA
}

function subjectAltName(name: string): Buffer {
  const general = isIPv4(name)
    ? der(0x87, Buffer.from(name.split('.').map(Number)))
    : der(0x82, Buffer.from(name));
  return sequence(oid('551d11'), octetString(sequence(general)));
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '');
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));

function sequence(...items: Buffer[]): Buffer {
  return der(0x30, ...items);
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function bitString(bytes: Buffer): Buffer {
  return der(0x03, Buffer.of(0), bytes);
}

function octetString(bytes: Buffer): Buffer {
  return der(0x04, bytes);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

/** Tag, length, contents (X.690 section 8.1). */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), body]);
}
