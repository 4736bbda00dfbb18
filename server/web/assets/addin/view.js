// Texts, and elements of the page. Whatever comes from outside is text here, and never markup.

/** The texts of the page's language by their keys. */
export class Texts {
  /** @param {Record<string, string>} table @param {string} language @param {string} wanted how Office writes dates: `en-GB` */
  constructor(table, language, wanted) {
    this.table = table;
    this.language = language;
    this.locale = language;
    try {
      if (new Intl.Locale(wanted).language === language) this.locale = wanted;
    } catch {
      // Office says nothing that is a locale.
    }
  }

  /** One text with its values. @param {string} key @param {Record<string, string | number>} [values] */
  say(key, values = {}) {
    const text = this.table[key] ?? key;
    return text.replaceAll(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
  }

  /** The text for one, or for so many. @param {string} key @param {number} count @param {Record<string, string | number>} [values] */
  count(key, count, values = {}) {
    return this.say(`${key}_${count === 1 ? 'one' : 'many'}`, { count, ...values });
  }

  /** @param {number} bytes */
  size(bytes) {
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
    let [number, unit] = [bytes, 0];
    while (number >= 1000 && unit < units.length - 1) [number, unit] = [number / 1000, unit + 1];
    const options = { style: /** @type {const} */ ('unit'), unit: units[unit], unitDisplay: /** @type {const} */ ('short'), maximumFractionDigits: unit > 1 ? 1 : 0 };
    return new Intl.NumberFormat(this.locale, options).format(number);
  }

  /** @param {string} at */
  time(at) {
    const date = new Date(at);
    if (Number.isNaN(date.getTime())) return '';
    return new Intl.DateTimeFormat(this.locale, { dateStyle: 'medium', timeStyle: 'short' }).format(date);
  }
}

/** @typedef {Node | string | null | false | undefined} Child */

/** An element. Attributes that begin with `on` are listeners; `true` and `false` are there and not there.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name @param {Record<string, any>} [attributes] @param {(Child | Child[])[]} children
 * @returns {HTMLElementTagNameMap[K]} */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'checked' || key === 'value') Object.assign(element, { [key]: value });
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((it) => it !== null && it !== false && it !== undefined));
  return element;
}

let numbers = 0;

/** An id that nothing else on the page has. @param {string} front */
export function unique(front) {
  numbers += 1;
  return `${front}-${numbers}`;
}

/** Puts other children into an element. @param {Element} element @param {(Child | Child[])[]} children */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((it) => it !== null && it !== false && it !== undefined));
}
