// Images as unpic's components write them, with the provider of frontends/unpic.mjs.
import { transformBaseImageProps } from '@unpic/core/base';

import { breakpoints, transform } from '../../../frontends/unpic.mjs';

const query = new URLSearchParams(location.search);

/** Show an image; return what the browser chose and how large it is. */
window.show = async props => {
    const { style, ...made } = transformBaseImageProps({
        ...props, transformer: transform, options: { baseURL: query.get('base') }, breakpoints: breakpoints(),
    });
    const image = Object.assign(new Image(), { alt: made.alt, sizes: made.sizes, srcset: made.srcset, src: made.src });
    Object.assign(image.style, style);
    document.getElementById('place').append(image);
    await image.decode();
    return { src: image.currentSrc, width: image.naturalWidth, height: image.naturalHeight };
};
