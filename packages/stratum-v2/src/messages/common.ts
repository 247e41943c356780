import { STR0_255, U8, U16, U32 } from '../codec.js';
import { definer } from './define.js';

const define = definer('common');

/** Messages that open and move connections, whatever is spoken on them. */
export const COMMON_MESSAGES = {
  SetupConnection: define(
    0x00,
    'SetupConnection',
    {
      isChannelMessage: false,
      sender: 'client',
      about: 'The first message of a connection: the protocol, versions and features that the client wants.',
    },
    {
      protocol: U8,
      minVersion: U16,
      maxVersion: U16,
      flags: U32,
      endpointHost: STR0_255,
      endpointPort: U16,
      vendor: STR0_255,
      hardwareVersion: STR0_255,
      firmware: STR0_255,
      deviceId: STR0_255,
    },
  ),
  SetupConnectionSuccess: define(
    0x01,
    'SetupConnection.Success',
    {
      isChannelMessage: false,
      sender: 'server',
      about: 'The connection is set up, with this version and these features.',
    },
    {
      usedVersion: U16,
      flags: U32,
    },
  ),
  SetupConnectionError: define(
    0x02,
    'SetupConnection.Error',
    {
      isChannelMessage: false,
      sender: 'server',
      about: 'The connection is refused; the flags are those the server does not support.',
    },
    {
      flags: U32,
      errorCode: STR0_255,
    },
  ),
  ChannelEndpointChanged: define(
    0x03,
    'ChannelEndpointChanged',
    {
      isChannelMessage: true,
      sender: 'server',
      about: 'The upstream of a channel changed: what was agreed beyond the core protocol must be agreed again.',
    },
    {
      channelId: U32,
    },
  ),
  Reconnect: define(
    0x04,
    'Reconnect',
    {
      isChannelMessage: false,
      sender: 'server',
      about: 'Connect anew, to another place or (empty host, port 0) to the same.',
    },
    {
      newHost: STR0_255,
      newPort: U16,
    },
  ),
} as const;
