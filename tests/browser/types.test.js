// The scripts of the panes fit each other and Office's own types.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

test('the panes’ scripts pass the type checker', async () => {
  const printed = await new Promise((done) => {
    execFile(process.execPath, [here('node_modules/typescript/bin/tsc'), '--project', here('tsconfig.json')], (error, stdout) => done(stdout));
  });
  assert.equal(printed, '');
});
