// Code that shows the image of a URL, to paste into a page or a server.

import { img } from './picture.mjs';

const quotedForShell = text => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const quotedForPhp = text => `'${text.replace(/[\\']/g, String.raw`\$&`)}'`;
const escapedForHtml = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

// Numbers without quotes, as options are written in code.
const literal = (value, quoted) => (/^(0|[1-9]\d{0,8})(\.\d+)?$/.test(value) ? value : quoted(value));

// On a page without styles of its own, an image that is wider than its column would be cut off.
const STYLE = ' style="max-width: 100%; height: auto"';

// <img srcset> of the shown width instead of the master's, which is the widest of the set.
function ladder(base, key, master, { width, height }) {
  const whole = img({ base, key, alt: '', ...master, sizes: `(max-width: ${width}px) 100vw, ${width}px` });
  return whole.replace(/ width="\d+" height="\d+"/, ` width="${width}" height="${height}"${STYLE}`);
}

const MEDIA_TYPES = { avif: 'image/avif', webp: 'image/webp' };

/**
 * Return the name, the code and a note of each. `options` are pairs of short names and values; `size` is that of the shown
 * image, `master` that of the upright master, both in px or null. `isSigned`: the options need a signature;
 * `isPrivate`: the image needs one that expires. `dialect`: the service whose URL
 * it is.
 */
export function snippets({ base, key, options, url, dialect, isSigned, isPrivate, size, master }) {
  const sizes = size ? ` width="${size.width}" height="${size.height}"` : '';
  const pairs = quoted => options.map(([name, value]) => [name, literal(value, quoted)]);
  const js = `{ ${pairs(JSON.stringify).map(([name, value]) => `${name}: ${value}`).join(', ')} }`;
  const python = pairs(JSON.stringify).map(([name, value]) => `, ${name}=${value}`).join('');
  const php = pairs(quotedForPhp).map(([name, value]) => `${quotedForPhp(name)} => ${value}`).join(', ');
  const isLadder = !dialect && !isSigned && master && size && options.every(([name]) => name === 'w');
  const once = dialect
    ? `The URL is signed: make it on your server, as a client of ${dialect} does.`
    : isPrivate
      ? 'The image is private, and this link ends soon: make one for each view on your server, as in Python or PHP.'
      : 'The URL is signed: make it on your server, as in Python or PHP.';
  const html = isLadder
    ? ladder(base, key, master, size)
    : `<img src="${escapedForHtml(url)}" alt=""${sizes}${STYLE} loading="lazy">`;
  const source = isSigned ? 'props.src' : `darkroomUrl('${base}', ${JSON.stringify(key)}, ${js})`;
  const jsx = `width={${size ? size.width : 'undefined'}} height={${size ? size.height : 'undefined'}}`;
  const all = [
    { name: 'HTML', code: html, note: isLadder ? 'Each browser takes the width that it needs.' : isSigned ? once : '' },
    {
      name: 'React',
      code: `import { darkroomUrl } from './darkroom.mjs';\n\nexport const Photo = props => (\n  <img src={${source}} alt=""\n    ${jsx} style={{ maxWidth: '100%', height: 'auto' }} loading="lazy" />\n);`,
      note: isSigned ? once : 'darkroom.mjs is in frontends/.',
    },
    {
      name: 'Vue',
      code: `<script setup>\nimport { darkroomUrl } from './darkroom.mjs';\n${isSigned ? "const props = defineProps(['src']);\n" : ''}</script>\n\n<template>\n  <img :src='${source.replaceAll("'", '"')}' alt=""${sizes}${STYLE} loading="lazy">\n</template>`,
      note: isSigned ? once : 'darkroom.mjs is in frontends/.',
    },
    {
      name: 'Python, Django',
      code: `${isPrivate ? 'import time\n\n' : ''}from darkroom_url import build_url\n\nurl = build_url(${JSON.stringify(key)}, base="${base}"${isSigned ? ', signing_key=KEY' : ''}${isPrivate ? ', expires_at=int(time.time()) + 900' : ''}${python})`,
      note: 'pip install ./packages/darkroom-url. In a template: <img src="{{ url }}" alt="">',
    },
    {
      name: 'PHP',
      code: `$signer = new Darkroom\\Signer('${base}', getenv('DARKROOM_SIGNING_KEY'));\n$url = $signer->url(${quotedForPhp(key)}, [${php}]${isPrivate ? ', time() + 900' : ''});\necho '<img src="', htmlspecialchars($url), '" alt="">';`,
      note: 'packages/signers/php. It signs every URL.',
    },
    {
      name: 'curl',
      code: `curl -H 'Accept: ${MEDIA_TYPES.avif},${MEDIA_TYPES.webp},*/*' -o image ${quotedForShell(url)}`,
      note: '',
    },
  ];
  return dialect ? all.filter(one => ['HTML', 'curl'].includes(one.name)) : all;
}
