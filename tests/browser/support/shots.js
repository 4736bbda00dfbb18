// Screenshots, for people to look at.

import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const USUAL = fileURLToPath(new URL('../../../target/tests-run/shots', import.meta.url));

/** Where they go. */
export const SHOTS = resolve(process.env.POSTROOM_SHOTS ?? USUAL);

/** Takes the whole page. */
export async function shot(page, name) {
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}
