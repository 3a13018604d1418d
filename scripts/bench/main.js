/** `npm run bench [-- reading | delivery] [-- options]`: what a sync costs beside a bare loop, or a delivery beside a bare workflow. See docs/performance.md. */
import { argv } from 'node:process';

const KINDS = ['reading', 'delivery'];
const kind = KINDS.includes(argv[2]) ? argv.splice(2, 1)[0] : 'reading';
await import(`./${kind}.js`);
