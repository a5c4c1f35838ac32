import crypto from 'crypto';
