// The key-value store of the deployment. The CloudFront guide requires this statement in the first lines.

import cf from 'cloudfront';
