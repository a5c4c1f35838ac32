// A server component: the key stays on the server, the page gets finished URLs.
import { createElement } from 'react';
import { getImageProps } from 'next/image';

import { signedLoader } from '../next-signed.mjs';

export default function Portrait({ src, alt }) {
    const by = { base: process.env.NEXT_PUBLIC_DARKROOM_URL, key: process.env.DARKROOM_SIGNING_KEY };
    const loader = signedLoader(by, { w: 400, h: 400, fit: 'cover', g: 'face' });
    const { props } = getImageProps({ src, alt, width: 400, height: 400, loader });
    return createElement('img', props);
}
