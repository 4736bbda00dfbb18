// Accessibility: axe's rules, and that nothing is cut off.

import assert from 'node:assert/strict';

import axe from 'axe-core';

/** What axe finds on the page as it is. Scripts of tests are not held to the page's content policy. */
export async function violations(page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map((it) => `${id}: ${help}: ${it.html.slice(0, 200)}: ${it.failureSummary ?? ''}`),
  );
}

/** Whether the page is wider than the window. Tables scroll in a frame of their own. */
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Both. */
export async function isAccessible(page, about) {
  assert.deepEqual(await violations(page), [], about);
  assert.equal(await overflow(page), 0, `${about}: wider than the window`);
}
