/** Rows up to which a tenth of the stored rows may go at once. */
const MAX_FEW = 100;

/**
 * Returns whether a read would delete so many rows that a permission may have been lost: half of the stored rows or
 * more, or a tenth of them if that is more than a hundred.
 */
export function isShrunk(storedRows: number, deletedRows: number): boolean {
  if (deletedRows === 0) return false;
  return deletedRows * 2 >= storedRows || (deletedRows > MAX_FEW && deletedRows * 10 > storedRows);
}
