// The add-in's manifests as the command writes them, held against Microsoft's own schema. Needs no server.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { folder, lay, unzip } from './support/packages.js';
import { run } from './support/programs.js';

const BASE = 'https://postroom.firm.example';
const VALIDATOR = new URL('./node_modules/office-addin-manifest/cli.js', import.meta.url).pathname;

const execute = promisify(execFile);

/** Writes the manifests, and gives the folder and what was said. */
async function written(t, ...options) {
  const out = await folder(t);
  const said = await run('postroom', 'addin', 'manifest', '--base-url', BASE, '--out', out, '--json', ...options);
  return { out, said: said.trim().split('\n').map((line) => JSON.parse(line)) };
}

test('the unified manifest is valid by the schema that Microsoft ships, and its package is whole', async (t) => {
  for (const options of [[], ['--provider', 'Härröw & Finch <LLP>', '--on-send', 'soft-block', '--support-url', 'https://help.firm.example/']]) {
    const { out } = await written(t, ...options);
    const files = unzip(await readFile(join(out, 'postroom-outlook.zip')));
    const laid = await lay(files, join(out, 'laid'));
    // Says nothing when there is nothing to say.
    assert.deepEqual(await execute('node', [VALIDATOR, 'validate', join(laid, 'manifest.json')]), { stdout: '', stderr: '' });
    const { icons, localizationInfo } = JSON.parse(files.get('manifest.json'));
    const named = [icons.color, icons.outline, ...localizationInfo.additionalLanguages.map((it) => it.file)];
    assert.deepEqual([...files.keys()].sort(), ['manifest.json', ...named].sort());
  }
  // The validator finds what it is there to find.
  const { out } = await written(t);
  const manifest = JSON.parse(unzip(await readFile(join(out, 'postroom-outlook.zip'))).get('manifest.json'));
  manifest.extensions[0].autoRunEvents[0].events[0].options.sendMode = 'always';
  await lay([['broken.json', JSON.stringify(manifest)]], out);
  await assert.rejects(execute('node', [VALIDATOR, 'validate', join(out, 'broken.json')]));
});

test('the manifests in XML are read by a parser and by the tool that installs them', async (t) => {
  const { out, said } = await written(t, '--provider', 'Harrow & Finch LLP');
  for (const name of ['outlook.xml', 'word.xml']) {
    const { stdout } = await execute('xmllint', ['--noout', '--nonet', join(out, name)]);
    assert.equal(stdout, '');
    const info = await execute('node', [VALIDATOR, 'info', join(out, name)]);
    const { id } = said.find((it) => it.file.endsWith(name));
    assert.ok(info.stdout.includes(id) && info.stdout.includes('Harrow & Finch LLP'), info.stdout);
  }
});

test('written again, everything is the same', async (t) => {
  const [first, second] = [await written(t), await written(t)];
  assert.deepEqual(first.said.map((it) => it.id), second.said.map((it) => it.id));
  assert.equal(new Set(first.said.map((it) => it.id)).size, 3);
  for (const name of ['outlook.xml', 'word.xml', 'postroom-outlook.zip']) {
    assert.ok((await readFile(join(first.out, name))).equals(await readFile(join(second.out, name))), name);
  }
});

test('an address that Office would not load is refused, with what to do', async (t) => {
  const out = await folder(t);
  const refused = async (base) => {
    const error = await run('postroom', 'addin', 'manifest', '--base-url', base, '--out', out).catch((it) => it);
    return error.stderr;
  };
  assert.match(await refused('http://postroom.firm.example'), /must begin with https:\/\/\nhint: /);
  assert.match(await refused('https://postroom.firm.example/app'), /goes on after the host\nhint: /);
  await run('postroom', 'addin', 'manifest', '--base-url', 'http://localhost:8440', '--out', out);
  assert.match(await readFile(join(out, 'outlook.xml'), 'utf8'), /"http:\/\/localhost:8440\/addin\/outlook"/);
});
