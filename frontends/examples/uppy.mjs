import AwsS3 from '@uppy/aws-s3';
import Uppy from '@uppy/core';

import { darkroomUploads } from '../uppy.mjs';

/** An Uppy whose files go to Darkroom, each under a key below `trips/`. */
export function uploader(api, token) {
    const uppy = new Uppy({ restrictions: { allowedFileTypes: ['image/*'] } });
    return uppy.use(AwsS3, darkroomUploads({ api, token, keyOf: file => `trips/${file.name}` }));
}
