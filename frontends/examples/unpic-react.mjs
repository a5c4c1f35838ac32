import { createElement } from 'react';
import { Image } from '@unpic/react/base';

import { breakpoints, transform } from '../unpic.mjs';

const options = { baseURL: 'https://images.example.com' };

export default function Holiday() {
    return createElement(Image, {
        src: '/2026/holiday.jpg', layout: 'constrained', width: 800, height: 600, alt: 'The bay at dusk',
        transformer: transform, options, breakpoints: breakpoints(),
    });
}
