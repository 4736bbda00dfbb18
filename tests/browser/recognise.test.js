// Which ids the browser extension reads out of an address: a table of addresses, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { origin, page } from '../../addin-manifest/extension/places.js';
import { patterns, recognise } from '../../addin-manifest/extension/recognise.js';

const DMS = { name: 'dms', kind: 'imanage', hosts: ['dms.firm.example', '*.imanage.work'] };
const ND = { name: 'nd', kind: 'netdocuments', hosts: ['eu.netdocuments.com'] };
const COLLAB = { name: 'collab', kind: 'highq', hosts: ['Collab.firm.example'] };
const FIRM = [DMS, ND, COLLAB];

const I = 'https://dms.firm.example';
const N = 'https://eu.netdocuments.com';
const H = 'https://collab.firm.example/collab';

/** Address, service, documents, folders; no service where the address is nobody's. */
const CASES = [
  // iManage
  [`${I}/work/link/d/ACTIVE!4711.2`, 'dms', ['ACTIVE!4711.2'], []],
  [`${I}/WORK/Link/D/Active_US!4711.2`, 'dms', ['Active_US!4711.2'], []],
  [`${I}/work/link/d/ACTIVE%214711.2?x=1#top`, 'dms', ['ACTIVE!4711.2'], []],
  [`${I}/work/link/d/ACTIVE!4711`, 'dms', ['ACTIVE!4711'], []],
  [`${I}/work/web/dialogs/link/d/legal-1!12.1`, 'dms', ['legal-1!12.1'], []],
  [`${I}/work/link/f/ACTIVE!987`, 'dms', [], ['ACTIVE!987']],
  [`${I}/work/link/w/ACTIVE!3670`, 'dms', [], ['ACTIVE!3670']],
  [`${I}/work/web/r/workspaces/ACTIVE!1/folders/ACTIVE!2`, 'dms', [], ['ACTIVE!2']],
  [`${I}/work/web/#/workspaces/ACTIVE!1/folders/ACTIVE!2/documents/ACTIVE!3.1`, 'dms', ['ACTIVE!3.1'], ['ACTIVE!2']],
  ['https://firm.imanage.work/work/link/d/ACTIVE!1.1', 'dms', ['ACTIVE!1.1'], []],
  ['https://FIRM.iManage.Work:443/work/link/d/ACTIVE!1.1', 'dms', ['ACTIVE!1.1'], []],
  // The only iManage there is, on a host of the vendor's that nobody named.
  ['https://cloudimanage.com/work/link/d/ACTIVE!1.1', 'dms', ['ACTIVE!1.1'], []],
  [`${I}/work/link/x/ACTIVE!1.1`, 'dms', [], []],
  [`${I}/work/link/d/ACTIVE!`, 'dms', [], []],
  [`${I}/work/link/d/ACTIVE!12.3.4`, 'dms', [], []],
  [`${I}/work/link/d/%3Cimg%20src=x%20onerror=alert(1)%3E!1.1`, 'dms', [], []],
  [`${I}/work/link/d/ACTIVE!1.1%0d%0a`, 'dms', [], []],
  [`${I}/%E0%A4%A/d/ACTIVE!1.1`, 'dms', ['ACTIVE!1.1'], []],
  [`${I}/`, 'dms', [], []],
  // NetDocuments
  [`${N}/neWeb2/goid.aspx?id=4814-0621-9041`, 'nd', ['4814-0621-9041'], ['4814-0621-9041']],
  [`${N}/neweb2/goId.aspx?ID=4814-0621-9041&repository=CA-9Z8Y7X6W`, 'nd', ['4814-0621-9041'], ['4814-0621-9041']],
  [`${N}/neWeb2/goid.aspx?id=4814-0621-9041&open=Y`, 'nd', ['4814-0621-9041'], []],
  [`${N}/neWeb2/goid.aspx?id=4814-0621-9041&open=1`, 'nd', ['4814-0621-9041'], []],
  [`${N}/app?ids=4814-0621-9041,4814-0621-9042;4814-0621-9041`, 'nd', ['4814-0621-9041', '4814-0621-9042'], ['4814-0621-9041']],
  [`${N}/app/#/container/4814-0621-9041/list`, 'nd', ['4814-0621-9041'], ['4814-0621-9041']],
  [`${N}/app/#id=4814-0621-9041`, 'nd', ['4814-0621-9041'], ['4814-0621-9041']],
  ['https://vault.netvoyage.com/neWeb2/goid.aspx?id=4814-0621-9041&open=Y', 'nd', ['4814-0621-9041'], []],
  [`${N}/neWeb2/goid.aspx?id=14814-0621-90411`, 'nd', [], []],
  [`${N}/neWeb2/docCent.aspx?whr=CA-9Z8Y7X6W`, 'nd', [], []],
  // HighQ
  [`${H}/documentHome.action?metaData.siteID=12&metaData.parentFolderID=345`, 'collab', [], ['345']],
  [`${H}/documentHome.action?metaData.siteID=12&metaData.parentFolderID=345&metaData.documentID=868`, 'collab', ['868'], ['345']],
  [`${H}/DOCUMENTHOME.action?METADATA.documentid=868`, 'collab', ['868'], []],
  ['https://firm.highq.com/firm/documentHome.action?metaData.parentFolderID=7', 'collab', [], ['7']],
  [`${H}/siteHomePage.action?metaData.siteID=12`, 'collab', [], []],
  [`${H}/documentHome.action?metaData.documentID=868%3Cscript%3E`, 'collab', [], []],
  [`${H}/documentHome.action?metaData.documentID=-1&documentID=5`, 'collab', [], []],
  // Nobody's
  ['https://dms.firm.example.evil.example/work/link/d/ACTIVE!1.1', null],
  ['https://evilimanage.work/work/link/d/ACTIVE!1.1', null],
  ['https://evil.example/?u=https://dms.firm.example/work/link/d/ACTIVE!1.1', null],
  ['https://dms.firm.example@evil.example/work/link/d/ACTIVE!1.1', null],
  ['chrome://settings', null],
  ['file:///work/link/d/ACTIVE!1.1', null],
  ['javascript://dms.firm.example/work/link/d/ACTIVE!1.1', null],
  ['', null],
  ['no address', null],
];

test('ids of each DMS are read out of its addresses, and out of no others', () => {
  for (const [address, service, documents, folders] of CASES) {
    const found = recognise(address, FIRM);
    const wanted = service === null ? null : { service, documents, folders };
    assert.deepEqual(found && { service: found.service, documents: found.documents, folders: found.folders }, wanted, address);
  }
});

test('a service is the one whose host it is, the only one of its kind, or called by its kind', () => {
  const document = '/work/link/d/ACTIVE!1.1';
  const service = (host, services) => recognise(`https://${host}${document}`, services)?.service ?? null;
  const second = { name: 'other', kind: 'imanage', hosts: ['other.imanage.work'] };
  const first = { ...DMS, hosts: ['dms.firm.example'] };
  assert.equal(service('dms.firm.example', [first, second]), 'dms');
  assert.equal(service('other.imanage.work', [first, second]), 'other');
  assert.equal(service('third.imanage.work', [first, second]), null, 'which of two it is nobody knows');
  assert.equal(service('third.imanage.work', [first]), 'dms');
  assert.equal(service('third.imanage.work', [ND]), null);
  assert.equal(service('third.imanage.work', []), 'imanage');
  assert.equal(service('dms.firm.example', []), null);
});

test('as many documents are taken as Postroom takes at once', () => {
  const ids = Array.from({ length: 150 }, (_, at) => `4814-0621-${1000 + at}`);
  assert.deepEqual(recognise(`${N}/app?ids=${ids.join(',')}`, FIRM).documents, ids.slice(0, 100));
});

test('the menu shows on the hosts that are known', () => {
  assert.deepEqual(patterns([ND]), ['*://eu.netdocuments.com/*', '*://vault.netvoyage.com/*', '*://*.netdocuments.com/*']);
  assert.ok(patterns([]).includes('*://*.highq.com/*') && patterns([]).includes('*://*.imanage.work/*'));
});

test('what is wanted leads to one address of Postroom, or to the reason why not', () => {
  const base = 'https://postroom.firm.example';
  const found = (address) => recognise(address, FIRM);
  const document = found(`${I}/work/link/d/ACTIVE!4711.2`);
  const folder = found(`${I}/work/link/f/ACTIVE!987`);
  const table = [
    ['send', base, document, { open: `${base}/send-to/dms?doc=ACTIVE!4711.2` }],
    ['launch', base, document, { why: 'no_folder' }],
    ['launch', base, folder, { open: `${base}/launch/dms?folder=ACTIVE!987` }],
    ['send', base, folder, { why: 'no_document' }],
    ['send', base, found(`${I}/`), { why: 'unknown' }],
    ['send', base, null, { why: 'unknown' }],
    ['send', '', document, { why: 'unset' }],
    ['send', base, found(`${N}/app?ids=4814-0621-9041,4814-0621-9042`), { open: `${base}/send-to/nd?doc=4814-0621-9041&doc=4814-0621-9042` }],
    // The name of a service comes from a policy: it stays one segment.
    ['send', base, { ...document, service: '../a?b#c' }, { open: `${base}/send-to/..%2Fa%3Fb%23c?doc=ACTIVE!4711.2` }],
  ];
  for (const [want, at, what, wanted] of table) assert.deepEqual(page(want, at, what), wanted);
});

test('only an encrypted address is taken for that of Postroom', () => {
  const table = [
    ['https://postroom.firm.example', 'https://postroom.firm.example'],
    [' https://Postroom.firm.example:8443/upload?a=b ', 'https://postroom.firm.example:8443'],
    ['http://localhost:8440', 'http://localhost:8440'],
    ['http://127.0.0.1:8440', 'http://127.0.0.1:8440'],
    ['http://postroom.firm.example', ''],
    ['javascript:alert(1)', ''],
    ['https://a:b@postroom.firm.example', ''],
    ['data:text/html,x', ''],
    ['', ''],
    [undefined, ''],
  ];
  for (const [text, wanted] of table) assert.equal(origin(text), wanted, text);
});
