import type { ReadPosition, Source } from '../contracts/internal/activities.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { DayWindow } from '../contracts/internal/sync.js';
import type { StagedRecords } from '../domain/records.js';

/** Some pages of an endpoint, as one activity reads them. */
export interface ReadSegmentOptions {
  readonly endpoint: Endpoint;
  readonly source: Source;
  /** Attendances: the days, both included. */
  readonly chunk: DayWindow | null;
  readonly position: ReadPosition;
  readonly pages: number;
  readonly attributesToStore: readonly string[];
  readonly onPage: (page: StagedRecords, after: ReadPosition) => Promise<void>;
}
