/**
 * `npm run bench [-- reading | delivery] [-- options]`: measures a sync against a bare loop, or a delivery against a
 * bare workflow. See docs/performance.md.
 */
import { argv } from 'node:process';

const KINDS = ['reading', 'delivery'];
const kind = KINDS.includes(argv[2]) ? argv.splice(2, 1)[0] : 'reading';
await import(`./${kind}.js`);
