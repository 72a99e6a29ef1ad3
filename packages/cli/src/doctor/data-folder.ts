import { access, constants, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Where a ledger's file would be kept. */
export interface FolderReport {
  /** The folder, or the nearest one above that is there. */
  readonly folder: string;
  readonly isWritable: boolean;
  /** Bytes that this user may still write. */
  readonly room: number;
  /** Such as `NFS`, when the files are on another machine. */
  readonly network: string | undefined;
}

/** File systems of other machines, by their `f_type` (Linux: statfs(2), include/uapi/linux/magic.h). */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x65735546, 'FUSE'],
]);

/** Looks at a folder, and writes nothing. */
export async function inspectFolder(path: string): Promise<FolderReport> {
  const folder = await nearestFolder(path);
  const isWritable = await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  const { bavail, bsize, type } = await statfs(folder);
  return { folder, isWritable, room: bavail * bsize, network: networkFileSystem(type) };
}

export function networkFileSystem(type: number): string | undefined {
  // Some systems tell it as a signed number of 32 bits.
  return NETWORK_FILE_SYSTEMS.get(type >>> 0);
}

async function nearestFolder(path: string): Promise<string> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  const parent = dirname(path);
  return isThere || parent === path ? path : nearestFolder(parent);
}
