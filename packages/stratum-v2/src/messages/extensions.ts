import { U16 } from '../codec.js';
import { seq0to64k } from '../sequence.js';
import { definer } from './define.js';

const define = definer('extensions', 0x0001);

/** Messages of extension 0x0001: which extensions a connection has. */
export const EXTENSION_MESSAGES = {
  RequestExtensions: define(
    0x00,
    'RequestExtensions',
    { isChannelMessage: false, sender: 'client', about: 'Asks for extensions, right after SetupConnection.Success.' },
    {
      requestId: U16,
      requestedExtensions: seq0to64k(U16),
    },
  ),
  RequestExtensionsSuccess: define(
    0x01,
    'RequestExtensions.Success',
    { isChannelMessage: false, sender: 'server', about: 'Those of the requested extensions that the connection has.' },
    {
      requestId: U16,
      supportedExtensions: seq0to64k(U16),
    },
  ),
  RequestExtensionsError: define(
    0x02,
    'RequestExtensions.Error',
    {
      isChannelMessage: false,
      sender: 'server',
      about: 'None is supported, or one that the server needs was not requested.',
    },
    {
      requestId: U16,
      unsupportedExtensions: seq0to64k(U16),
      requiredExtensions: seq0to64k(U16),
    },
  ),
} as const;
