import { openSqliteRepository } from './sqlite-repository.ts';
import type { ProductRepository } from './product-repository.ts';

export async function openRepository(o: { dataFolder: string }): Promise<ProductRepository> {
  return openSqliteRepository(o.dataFolder);
}
