// What is run inside the page. Texts and not functions: the workspace's types know no DOM.

/** Things a person with a screen reader, a keyboard or poor eyes would stumble over; empty when there are none. */
export const FIND_FLAWS = `(() => {
  const flaws = [];
  const where = (element) => element.outerHTML.slice(0, 120);
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
  const textOf = (ids) => ids.split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim();
  const nameOf = (element) =>
    (element.getAttribute('aria-label') ?? '').trim() ||
    (element.hasAttribute('aria-labelledby') ? textOf(element.getAttribute('aria-labelledby')) : '') ||
    (element.labels?.length > 0 ? element.labels[0].textContent.trim() : '') ||
    element.textContent.trim();

  for (const element of document.querySelectorAll('a[href], button, input, select, textarea, summary')) {
    if (isShown(element) && nameOf(element) === '') flaws.push('a control without a name: ' + where(element));
  }
  for (const element of document.querySelectorAll('[role=img], [role=meter], section[tabindex], nav, form input')) {
    if (isShown(element) && nameOf(element) === '') flaws.push('no name: ' + where(element));
  }
  for (const table of document.querySelectorAll('table')) {
    if ((table.caption?.textContent ?? '').trim() === '') flaws.push('a table without a caption');
    if (table.querySelector('th:not([scope])') !== null) flaws.push('a header cell without scope');
  }
  for (const [tag, count] of [['header', 1], ['main', 1], ['footer', 1], ['h1', 1]]) {
    const found = document.querySelectorAll(tag).length;
    if (found !== count) flaws.push(found + ' of <' + tag + '>');
  }
  if (document.documentElement.lang === '') flaws.push('no language');
  if (document.title === '') flaws.push('no title');
  if (document.querySelectorAll('nav [aria-current=page]').length > 1) flaws.push('two current pages');
  let level = 1;
  for (const heading of document.querySelectorAll('main h1, main h2, main h3')) {
    const own = Number(heading.tagName.slice(1));
    if (own > level + 1) flaws.push('a heading level is left out: ' + where(heading));
    level = own;
  }
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) flaws.push('the id ' + id + ' is there twice');
  for (const link of document.querySelectorAll('a[target=_blank]')) {
    if (!link.rel.includes('noopener')) flaws.push('a link that hands out the window: ' + where(link));
  }
  for (const link of document.querySelectorAll('a[href]')) {
    if (!/^https?:$/.test(link.protocol)) flaws.push('a link to ' + link.protocol);
  }
  for (const element of document.querySelectorAll('script:not([src]), style, [onclick]')) flaws.push('inline: ' + where(element));
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) flaws.push('the page is ' + (scrollWidth - clientWidth) + ' px too wide');

  const parse = (color) => {
    const parts = color.match(/[\\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (element) => {
    const layers = [];
    for (let at = element; at !== null; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.alpha === 0) continue;
      layers.push(color);
      if (color.alpha === 1) break;
    }
    return layers.reverse().reduce(
      (below, { rgb, alpha }) => rgb.map((value, index) => value * alpha + below[index] * (1 - alpha)),
      [255, 255, 255],
    );
  };
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === '' || !isShown(element) || element.closest('.sr-only, :disabled, noscript, datalist')) continue;
    const { color } = getComputedStyle(element);
    if (!color.startsWith('rgb')) continue;
    const [high, low] = [luminance(parse(color).rgb), luminance(groundOf(element))].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    const key = element.className + color;
    if (contrast >= 4.5 || seen.has(key)) continue;
    seen.add(key);
    flaws.push('contrast ' + contrast.toFixed(2) + ': ' + where(element));
  }
  return flaws;
})()`;

/** Where the keyboard is: what it is, whether that can be seen. */
export const FOCUSED = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  return {
    tag: element.tagName.toLowerCase(),
    name: (element.getAttribute('aria-label') ?? element.textContent ?? '').trim(),
    isOutlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    isInView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
})()`;

export interface Focused {
  readonly tag: string;
  readonly name: string;
  readonly isOutlined: boolean;
  readonly isInView: boolean;
}

/** Sum of all shifts of what is shown, as browsers score it. */
export const LAYOUT_SHIFT = `new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) sum += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => resolve(sum), 100);
})`;
