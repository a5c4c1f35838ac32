// The key-value store of the deployment, as the engine hands it out. Its guide wants this statement in the first lines.

import cf from 'cloudfront';
