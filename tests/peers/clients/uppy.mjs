// An Uppy that uploads the files of an input.
import AwsS3 from '@uppy/aws-s3';
import Uppy from '@uppy/core';

import { darkroomUploads, prepareFiles } from '../../../frontends/uppy.mjs';

const query = new URLSearchParams(location.search);
const uppy = new Uppy({ autoProceed: true, restrictions: { allowedFileTypes: ['image/*'] } });
uppy.use(AwsS3, darkroomUploads({
    api: query.get('api'), token: query.get('token'), keyOf: file => query.get('prefix') + file.name,
}));
prepareFiles(uppy, { maxPixels: 400_000 });
uppy.on('complete', ({ successful, failed }) => {
    window.done = { uploaded: successful.map(file => file.response.body), failed: failed.map(file => [file.name, file.error]) };
});
const input = document.createElement('input');
Object.assign(input, { type: 'file', multiple: true, id: 'files' });
input.addEventListener('change', () => {
    for (const data of input.files) {
        uppy.addFile({ name: data.name, type: data.type, data });
    }
});
document.getElementById('place').append(input);
