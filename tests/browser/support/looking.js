// Looks at a page in each colour and size: nothing that axe finds, nothing wider than the window, and a picture of each.

import { isAccessible } from './axe.js';
import { shot } from './shots.js';

const SIZES = { 320: { width: 320, height: 640 }, 400: { width: 400, height: 300 }, 1280: { width: 1280, height: 800 } };

export async function look(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await isAccessible(page, `${name}, ${colorScheme}, ${size}`);
      await shot(page, `${name}-${size}-${colorScheme}`);
    }
  }
  await page.setViewportSize(SIZES[320]);
  await page.emulateMedia({ colorScheme: 'no-preference', forcedColors: 'active' });
  await isAccessible(page, `${name}, high contrast`);
  await shot(page, `${name}-320-contrast`);
  await page.emulateMedia({ forcedColors: 'none' });
}
