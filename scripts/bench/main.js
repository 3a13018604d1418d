/**
 * `npm run bench [-- reading | delivery | plans] [-- options]`: measures a sync against a bare loop, a delivery against
 * a bare workflow, or the statements of a commit. See docs/performance.md.
 */
import { argv } from 'node:process';

const KINDS = ['reading', 'delivery', 'plans'];
const kind = KINDS.includes(argv[2]) ? argv.splice(2, 1)[0] : 'reading';
await import(`./${kind}.js`);
