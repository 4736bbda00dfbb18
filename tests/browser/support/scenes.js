// A scene is a test with browsers in it. At its end no page may have complained, whatever else was tested.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Profile } from './browser.js';
import { SHOTS } from './shots.js';
import { World } from './world.js';

/** More than any scene takes on a slow machine; whatever waits longer waits for ever. */
const TOO_LONG_MS = 180_000;

/**
 * A test file's world: started before its tests, stopped after them. Gives the function that declares scenes. `more` gives further
 * sections of the settings, from the world.
 */
export function stage(more = () => '') {
  let world;
  before(async () => {
    world = await World.start(more);
  });
  after(() => world?.stop());

  return (name, act) =>
    test(name, { timeout: TOO_LONG_MS }, async () => {
      const profiles = [];
      const ends = [];
      const open = async (options) => {
        const profile = await Profile.open(world, options);
        profiles.push(profile);
        return profile.page;
      };
      try {
        await act({ world, open, ends: (end) => ends.push(end) });
        assert.deepEqual(profiles.flatMap((it) => it.complaints), []);
      } catch (error) {
        await keep(name, profiles, world);
        throw error;
      } finally {
        await Promise.all(profiles.map((it) => it.context.close()));
        for (const end of ends) await end();
        await world.calm();
      }
    });
}

/** What the pages of a failed scene looked like, and what the server said. */
async function keep(name, profiles, world) {
  const folder = join(SHOTS, 'failed');
  await mkdir(folder, { recursive: true });
  const file = join(folder, name.replaceAll(/[^a-z0-9]+/gi, '-'));
  await writeFile(`${file}.log`, world.server.errors);
  for (const [number, { context }] of profiles.entries()) {
    for (const page of context.pages()) {
      await page.screenshot({ path: `${file}-${number}.png`, fullPage: true }).catch(() => {});
      await writeFile(`${file}-${number}.html`, `<!-- ${page.url()} -->\n${await page.content().catch(String)}`);
    }
  }
}
