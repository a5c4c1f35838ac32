// Run clients with frontends/: {folder, base, cases: [[client, options], …]} to {src, candidates: [[url, descriptor], …]} each.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { folder, base, cases } = JSON.parse(readFileSync(0, 'utf8'));
const ours = name => import(new URL(`../../../frontends/${name}`, import.meta.url));
const theirs = path => import(pathToFileURL(join(folder, 'node_modules', path)));
const require = createRequire(join(folder, 'run.cjs'));

process.env.NEXT_PUBLIC_DARKROOM_URL = base;
process.env.DARKROOM_SIGNING_KEY = 'k';

const split = (srcset = '') => srcset.split(/,\s+/).filter(Boolean).map(one => one.split(' '));

async function next({ signed, ...props }) {
    const { getImgProps } = require('next/dist/shared/lib/get-img-props.js');
    const { imageConfigDefault, prepareImageConfig } = require('next/dist/shared/lib/image-config.js');
    const { default: defaultLoader } = await ours('next-loader.mjs');
    const { darkroomImages } = await ours('next-config.mjs');
    const { signedLoader } = await ours('next-signed.mjs');
    const imgConf = prepareImageConfig({ ...imageConfigDefault, ...darkroomImages('./next-loader.mjs') });
    const loader = signed ? signedLoader({ base, key: 'k' }, signed) : undefined;
    const found = getImgProps({ alt: '', ...props, ...(loader && { loader }) }, { defaultLoader, imgConf });
    return { src: found.props.src, candidates: split(found.props.srcSet) };
}

async function nuxt({ src, screens, ...options }) {
    const { createImage } = await theirs('@nuxt/image/dist/runtime/image.js');
    const { darkroomImage } = await ours('nuxt-config.mjs');
    const { default: setup } = await ours('nuxt-provider.mjs');
    const config = darkroomImage(base, '');
    const providers = { darkroom: { setup, defaults: config.providers.darkroom.options } };
    const own = screens ? { screens } : {};
    const $img = createImage({ presets: {}, alias: {}, domains: [], ...config, ...own, providers });
    const { src: one, srcset } = $img.getSizes(src, options);
    return { src: one, candidates: split(srcset) };
}

async function astro({ signed, ...options }) {
    const { getImage } = await theirs('astro/dist/assets/internal.js');
    const { default: imageService } = await ours(signed ? 'astro-signed.mjs' : 'astro-service.mjs');
    globalThis.astroAsset = { imageService };
    const config = { service: { config: { baseURL: base } }, domains: [], remotePatterns: [] };
    const found = await getImage({ alt: '', ...options }, config);
    return { src: found.src, candidates: split(found.srcSet.attribute), attributes: found.attributes };
}

async function unpic({ signed, ...options }) {
    const { transformBaseImageProps } = await theirs('@unpic/core/dist/base.mjs');
    const { breakpoints, transform } = await ours('unpic.mjs');
    const { signUrl } = await ours('sign.mjs');
    const own = { baseURL: base, ...(signed && { sign: url => signUrl(url, 'k') }) };
    const found = transformBaseImageProps({ alt: '', transformer: transform, options: own, breakpoints: breakpoints(), ...options });
    return { src: found.src, candidates: split(found.srcset) };
}

const clients = { next, nuxt, astro, unpic };
const found = [];
for (const [client, options] of cases) {
    try {
        found.push(await clients[client](options));
    } catch (error) {
        found.push({ failed: `${error.name}: ${error.message}` });
    }
}
console.log(JSON.stringify(found));
