// Writes URLs that every builder of frontends/ makes of random images, as JSON. Arguments: a seed, how many, a signing key.
import astroSigned from '../../../frontends/astro-signed.mjs';
import astro from '../../../frontends/astro-service.mjs';
import { darkroomUrl, PRESETS, srcset } from '../../../frontends/darkroom.mjs';
import { ipxUrl } from '../../../frontends/ipx.mjs';
import nextLoader from '../../../frontends/next-loader.mjs';
import { signedLoader } from '../../../frontends/next-signed.mjs';
import { getImage } from '../../../frontends/nuxt-provider.mjs';
import { picture } from '../../../frontends/picture.mjs';
import { signedUrl, signUrl } from '../../../frontends/sign.mjs';
import { generate, transform } from '../../../frontends/unpic.mjs';

const [seed, count, key] = process.argv.slice(2);
const CHARACTERS = [...'abcXYZ019-._~ +%&=?#!\'()*,:;@$"<>\\é漢😀'];
const OPTIONS = {
    w: () => below(8192) + 1, height: () => below(8192) + 1, dpr: () => 1 + below(7) / 2, up: () => coin(),
    fit: () => any(['contain', 'cover', 'fill', 'letterbox']), g: () => any(['face', 'north', 'fp:0.25:0.5', ['fp', 0.1, 1]]),
    crop: () => any(['pct:10,10,50,50', [0, 0, 100, 200], 'pct:0,0,100,100']), rotate: () => any([0, 90, 180, 270]),
    flip: () => any(['none', 'h', 'v', 'hv']), pad: () => any([0, 20, [1, 2], '1,2,3,4']), bg: () => any(['F80', 'ff8800ff', '0008']),
    blur: () => below(10000) / 100, gamma: () => (10 + below(490)) / 100, wm: () => any(['logo', 'logo,north,50']),
    redact: () => any(['faces', 'text', 'all']), f: () => any(['auto', 'jpg', 'webp', 'gif', 'json']), q: () => any(['auto', 1, 100]),
    anim: () => coin(), preset: () => any(Object.keys(PRESETS)), dl: () => text().replace(/[/\\"]/g, '_').slice(0, 12),
};

let state = Number(seed);
// Mulberry32, a generator of 32 bits by Tommy Ettinger, in the public domain.
function random() {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}
const below = high => Math.floor(random() * high);
const any = list => list[below(list.length)];
const coin = () => random() < 0.5;
const text = () => Array.from({ length: 1 + below(9) }, () => any(CHARACTERS)).join('');
const segment = () => text().replace(/^(\.\.?|_)$/, 'a');
const some = () => Object.fromEntries(Object.entries(OPTIONS).filter(() => below(5) === 0).map(([name, one]) => [name, one()]));

const urlsIn = html => [...html.matchAll(/ (?:src|srcset)="([^"]*)"/g)]
    .flatMap(([, list]) => list.replace(/&amp;/g, '&').split(', ')).map(candidate => candidate.split(' ')[0]);

function built() {
    const name = Array.from({ length: 1 + below(3) }, segment).join('/');
    const width = 1 + below(9000);
    const src = darkroomUrl('', name);
    const directed = [{ media: 'print', preset: any(Object.keys(PRESETS)) }];
    const description = { animated: coin(), colour: { alpha: coin() } };
    const format = any([undefined, 'avif', 'webp', 'jpeg', 'png', 'gif']);
    const by = { key, expiresS: any([undefined, 4102444800]) };
    const sign = url => signUrl(url, key, by.expiresS);
    const unsigned = [
        src,
        nextLoader({ src, width, quality: 75 }),
        ...srcset('', name, width, { format }).split(', ').map(candidate => candidate.split(' ')[0]),
        ...urlsIn(picture({ key: name, alt: text(), width, height: width, description }, { directed })),
        generate(src, { width, height: width, format }),
        transform(src, { width, quality: 3 }),
        generate(src, { preset: any(Object.keys(PRESETS)) }),
        getImage(src, { modifiers: { width, height: width, quality: 5, format } }).url,
        getImage(src, { modifiers: { preset: any(Object.keys(PRESETS)) } }).url,
        ...astro.getSrcSet({ src, width, height: width, format, widths: [width, 2 * width] })
            .map(({ transform: wanted }) => astro.getURL(wanted)),
        ipxUrl(`/_ipx/s_${width}x9,q_3${format ? `,f_${format}` : ''}${src}`),
    ];
    process.env.DARKROOM_SIGNING_KEY = key;
    const signed = [
        astroSigned.getURL({ src, width: Math.min(width, 8192), height: 9, fit: any(['cover', 'fill', 'contain']), position: '1% 2%', format, quality: 9 }),
        ipxUrl(`/_ipx/s_${Math.min(width, 8192)}x9,pos_left_top,q_3,flip,blur_2${src}`, { sign }),
        signedUrl('', name, some(), by),
        signedLoader({ base: '', ...by }, { w: 600, h: 400, fit: 'cover' })({ src, width: Math.min(width, 4096), quality: 60 }),
        generate(src, { width: Math.min(width, 8192), quality: 33, format }, { sign }),
    ];
    return { name, width, unsigned, signed, srcset: srcset('', name, width) };
}

process.stdout.write(JSON.stringify(Array.from({ length: Number(count) }, built)));
