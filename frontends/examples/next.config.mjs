// next.config.mjs
import { darkroomImages } from '../next-config.mjs';

export default { images: darkroomImages('./frontends/next-loader.mjs') };
