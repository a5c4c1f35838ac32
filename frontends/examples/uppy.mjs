import AwsS3 from '@uppy/aws-s3';
import Uppy from '@uppy/core';

import { darkroomUploads, prepareFiles } from '../uppy.mjs';

/** An Uppy whose files go to Darkroom, each under a key below `trips/`. */
export function uploader(api, token) {
    const uppy = new Uppy({ restrictions: { allowedFileTypes: ['image/*'] } });
    uppy.use(AwsS3, darkroomUploads({ api, token, keyOf: file => `trips/${file.name}` }));
    return prepareFiles(uppy, { maxPixels: 12_000_000 });
}
