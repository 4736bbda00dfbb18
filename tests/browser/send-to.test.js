// Coming from a DMS: documents are sent and workflows started in a window as small as one makes it, without scripts, by keyboard, in
// each language and colour. The DMS's own pages are played by an address of their own; what is read comes from the simulators.

import assert from 'node:assert/strict';

import { isAccessible, overflow } from './support/axe.js';
import { approve, button, comeIn, press, sees, setOutToLink } from './support/doing.js';
import { stage } from './support/scenes.js';
import { shot } from './support/shots.js';

const HOSTILE = `<img src=x onerror=alert(1)> & "a {title}"`;

/** Each DMS: its title, its matter's keys, its folder as links have it, and how the matter's repository finds it. */
const DMSS = {
  imanage: {
    title: 'iManage Work', folder: 'ACTIVE!3652', library: 'ACTIVE', path: 'Documents/Correspondence',
    resolver: 'custom1=[workitem.client.reference], custom2=[workitem.attributes.matter]',
  },
  netdocuments: {
    title: 'NetDocuments', folder: '4800-0000-3652', library: 'NG-1A2B3C4D', path: 'Correspondence',
    resolver: 'client=[workitem.client.reference], matter=[workitem.attributes.matter]',
  },
  highq: {
    title: 'HighQ', folder: '1011', library: '', path: 'Correspondence',
    resolver: 'clientno=[workitem.client.reference], matterno=[workitem.attributes.matter]',
  },
};

const destination = {
  imanage: (world) => `[destinations.imanage]\nbase_url = "${world.imanage.url}"\nlibrary = "ACTIVE"\nprobe_lag_seconds = 1`,
  netdocuments: (world) => `[destinations.netdocuments]
base_url = "${world.netdocuments.url}"
web_url = "${world.netdocuments.url}"
cabinet = "NG-1A2B3C4D"
mark_attribute = "postroom"
probe_lag_seconds = 1
workspace_attributes = ["client", "matter"]
attributes = { client = 1, matter = 2, postroom = 9 }`,
  highq: (world) => `[destinations.highq]\nbase_url = "${world.highq.url}"\nprobe_lag_seconds = 1`,
};

const settings = (world) =>
  Object.entries(DMSS)
    .map(([kind, { title, library, path, resolver }]) => `
[[destinations]]
name = "${kind}"
kind = "${kind}"
${destination[kind](world)}
[destinations.${kind}.auth]
grant = "link"

[[repositories]]
name = "${kind}-matters"
area = "matter_documents"
work_type = "matter/${kind}"
service = "${kind}"
library = "${library}"
resolver = "search"
resolver_config = "${resolver}"
folder = "${path}"

[[repositories]]
name = "${kind}-requests"
area = "matter_documents"
work_type = "request/${kind}"
service = "${kind}"
resolver = "origin"

[[workflows]]
name = "${kind}-request"
title = "Service request (${title})"
work_type = "request/${kind}"
reference_prefix = "${kind.slice(0, 2).toUpperCase()}-"
`)
    .join('') + `
[[collections]]
name = "precedents"
title = "Precedents & templates"
work_item = "K-0001"

[[repositories]]
name = "knowledge"
area = "matter_documents"
work_type = "knowledge"
service = "imanage"
library = "ACTIVE"
resolver = "pinned"
resolver_config = "ACTIVE!3660"
folder = "Documents/Correspondence"
`;

const scene = stage(settings);

/** A call of the API by a page of the person who is signed in. */
const call = (page, path, body) =>
  page.evaluate(
    async ([path, body]) => {
      const answer = await fetch(path, body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      return { status: answer.status, body: await answer.json() };
    },
    [path, body],
  );

/** The matters that there are in every DMS, made once. */
let matters;
async function makeMatters(world, open) {
  matters ??= (async () => {
    const page = await open();
    await comeIn(world, page, 'boss@firm.example', '--admin');
    for (const kind of Object.keys(DMSS)) {
      const made = await call(page, '/api/v1/work-items', {
        reference: `${kind}-0007`, title: `Harrow v Teal ${HOSTILE}`, work_type: `matter/${kind}`,
        client: { reference: '10442', name: 'Harrow <b>Ltd</b>' }, attributes: { matter: '0007' },
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
    }
    const made = await call(page, '/api/v1/work-items', { reference: 'K-0001', title: 'Precedents', work_type: 'knowledge' });
    assert.equal(made.status, 201);
  })();
  await matters;
}

/** Puts a document into the DMS as the person who is signed in; its id there. */
async function filed(page, kind, name, text) {
  return page.evaluate(
    async ([kind, name, text]) => {
      const form = new FormData();
      form.append('meta', new Blob([JSON.stringify({ work_item: `${kind}-0007` })], { type: 'application/json' }));
      form.append('file', new File([text], name, { type: 'application/pdf' }));
      const answer = await (await fetch('/api/v1/intakes', { method: 'POST', body: form })).json();
      const id = answer.filings[0].id;
      for (let tries = 0; tries < 200; tries += 1) {
        const filing = await (await fetch(`/api/v1/filings/${id}`)).json();
        if (filing.state === 'filed') return filing.receipt.document;
        if (['failed', 'blocked'].includes(filing.state)) throw new Error(JSON.stringify(filing.cause));
        await new Promise((done) => setTimeout(done, 50));
      }
      throw new Error('it was not filed');
    },
    [kind, name, text],
  );
}

const SIZES = { 1280: [1280, 800], 400: [400, 300], 320: [320, 568] };

async function look(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [size, [width, height]] of Object.entries(SIZES)) {
      await page.setViewportSize({ width, height });
      await isAccessible(page, `${name}, ${colorScheme}, ${size}`);
      await page.evaluate(() => globalThis.scrollTo(0, 0));
      // As people see it, and not the whole page: what matters is what is there without scrolling.
      if (size === '400') await page.screenshot({ path: await shotPath(`${name}-window-${colorScheme}`) });
      await shot(page, `${name}-${size}-${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'no-preference', forcedColors: 'active' });
  await isAccessible(page, `${name}, high contrast`);
  await page.emulateMedia({ forcedColors: 'none' });
  await page.setViewportSize({ width: 400, height: 300 });
}

async function shotPath(name) {
  const { SHOTS } = await import('./support/shots.js');
  const { mkdir } = await import('node:fs/promises');
  await mkdir(SHOTS, { recursive: true });
  return `${SHOTS}/${name}.png`;
}

/** The button can be seen, and pressed, without scrolling. */
async function isInTheWindow(page, name) {
  await page.evaluate(() => globalThis.scrollTo(0, 0));
  const box = await button(page, name).boundingBox();
  assert.ok(box && box.y >= 0 && box.y + box.height <= 300, `${name}: ${JSON.stringify(box)}`);
}

/** What a page asks of the server until it is there. */
async function counted(page, act) {
  const asked = [];
  const note = (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`);
  page.on('request', note);
  await act();
  page.off('request', note);
  return asked;
}

/** Tab until something has the cursor. */
async function tabTo(page, locator) {
  for (let presses = 0; presses < 40; presses += 1) {
    if (await locator.evaluate((it) => it === document.activeElement)) return presses;
    await page.keyboard.press('Tab');
  }
  throw new Error('the keyboard does not reach it');
}

for (const [kind, { title, folder }] of Object.entries(DMSS)) {
  scene(`${title}: a document is sent, and a workflow started from its folder`, async ({ world, open }) => {
    await makeMatters(world, open);
    const page = await open({ viewport: { width: 400, height: 300 } });
    await comeIn(world, page, `${kind}.user@firm.example`, '--name', 'Mina Patel', '--team', 'everyone');

    // Nobody's account is linked yet: the way to link it ends where it began.
    await page.goto(`/launch/${kind}/${folder}`);
    await sees(page, 'Link your account first');
    await isInTheWindow(page, 'Link my account');
    if (kind === 'imanage') await look(page, 'send-link');
    await press(page, 'Link my account');
    await approve(world, page, /^Mina Patel/);
    await sees(page, /Start from this folder|Is this the right account/);
    if (await page.getByRole('heading', { name: 'Is this the right account?' }).isVisible()) {
      await press(page, 'Yes, it is mine');
    }
    const document = await filed(page, kind, `The plan ${HOSTILE}.pdf`, `%PDF-1.7 ${kind}`);

    // One click: the matter is chosen already.
    const address = `/send-to/${kind}?doc=${encodeURIComponent(document)}&user=${encodeURIComponent(HOSTILE)}`;
    const asked = await counted(page, () => page.goto(address));
    console.log(`${title}, open: ${asked.join(', ')}`);
    await sees(page, 'Send the document');
    const text = await page.locator('main').innerText();
    for (const words of ['The plan', '10442', `${kind}-0007`, 'Harrow v Teal']) assert.ok(text.includes(words), `${words}: ${text}`);
    await isInTheWindow(page, 'Send');
    assert.ok(await page.getByRole('radio', { name: new RegExp(`^${kind}-0007`) }).isChecked());
    await look(page, `send-${kind}`);
    await page.goto(`${new URL(page.url()).pathname}?search=K-0001`);
    await page.getByRole('radio', { name: /^K-0001/ }).waitFor();

    // By keyboard alone, and in a tab of its own.
    const [tab] = await Promise.all([page.context().waitForEvent('page'), page.getByRole('link', { name: 'Continue in a tab' }).click()]);
    await sees(tab, 'Send the document');
    await tab.close();
    await page.goto(new URL(page.url()).pathname);
    await tabTo(page, button(page, 'Send'));
    const sent = await counted(page, async () => {
      await page.keyboard.press('Enter');
      await sees(page, 'Sent');
    });
    console.log(`${title}, send: ${sent.join(', ')}`);
    if (kind === 'imanage') await look(page, 'send-done');
    await page.reload();
    await sees(page, 'Sent');

    // From the folder.
    const launching = await counted(page, () => page.goto(`/launch/${kind}?folder=${encodeURIComponent(folder)}`));
    console.log(`${title}, launch: ${launching.join(', ')}`);
    await sees(page, 'Start from this folder');
    await isInTheWindow(page, 'Start');
    assert.ok(await page.getByRole('radio', { name: `Service request (${title})` }).isChecked());
    assert.equal(await page.getByRole('radio').count(), 1, 'workflows of other DMSs are not offered');
    await look(page, `launch-${kind}`);
    await press(page, 'Start');
    await sees(page, 'Started');
    assert.match(await page.locator('main').innerText(), new RegExp(`${kind.slice(0, 2).toUpperCase()}-000001`));
    if (kind === 'imanage') await look(page, 'launch-done');
  });
}

scene('without scripts, in German, from a form of the DMS, and out of a frame', async ({ world, open }) => {
  await makeMatters(world, open);
  const page = await open({ javaScriptEnabled: true, locale: 'de-AT' });
  await comeIn(world, page, 'j.reed@firm.example', '--name', 'Jonah Reed');
  await setOutToLink(page, 'iManage Work');
  await approve(world, page, /^Jonah Reed/);
  const document = await filed(page, 'imanage', 'Brief an Müller.pdf', '%PDF-1.7 German');

  // The DMS's page posts a form from another site: no cookie comes with it, and it works all the same.
  await page.route('http://dms.example/**', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<form method="post" action="${world.url}/send-to/imanage"><input name="selection" value="${document};ACTIVE!999999"><input name="then" value="//evil.example"><button>Go</button></form>
<iframe src="${world.url}/send-to/imanage?doc=${document}"></iframe>`,
    }),
  );
  await page.goto('http://dms.example/');
  await page.getByRole('button', { name: 'Go' }).click();
  await sees(page, 'Dokument senden');
  assert.equal(await page.locator('html').getAttribute('lang'), 'de');
  assert.match(await page.locator('main').innerText(), /ACTIVE!999999 ist nicht da/);
  await look(page, 'send-german');
  await isInTheWindow(page, 'Senden');
  await press(page, 'Senden');
  await sees(page, 'Gesendet');
  await look(page, 'send-german-done');

  for (const [path, status] of [['/send-to/imanage', 400], ['/send-to/imanage?doc=%3Cscript%3Ealert(1)%3C/script%3E', 400], ['/send-to/imanage?doc=ACTIVE!999999', 404], ['/tickets/0192f0c1-5b7e-7000-8000-000000000001', 404]]) {
    assert.equal((await page.goto(path)).status(), status, path);
    await sees(page, 'Das hat nicht geklappt');
    await isAccessible(page, path);
  }
  await shot(page, 'send-problem');

  const plain = await page.context().browser().newContext({ baseURL: world.url, javaScriptEnabled: false, storageState: await page.context().storageState(), viewport: { width: 400, height: 300 } });
  try {
    const still = await plain.newPage();
    await still.goto(`/send-to/imanage?doc=${encodeURIComponent(document)}`);
    await sees(still, 'Send the document');
    await still.getByLabel('Another work item').fill('K-0001');
    await press(still, 'Search');
    await still.getByRole('radio', { name: /^K-0001/ }).check();
    await press(still, 'Send');
    await sees(still, 'Sent');
    await sees(still, 'Sent');
    await still.goto('/launch/imanage/ACTIVE!3652');
    await still.getByLabel('Title of what is started').fill(HOSTILE);
    await press(still, 'Start');
    await sees(still, 'Started');
    assert.ok((await still.locator('main').innerText()).includes(HOSTILE));
  } finally {
    await plain.close();
  }
  assert.equal(await overflow(page), 0);
});
