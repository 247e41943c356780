import { describe, expect, it } from 'vitest';
import { defineDefaults, type PoolConfigInput, parseConfig } from '../src/index.js';

const config: PoolConfigInput = {
  daemons: [{ url: 'http://127.0.0.1:18443' }],
  payout: { address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' },
  listeners: [{ port: 3333 }],
};

describe('defineDefaults', () => {
  it('puts defaults under a configuration at every depth; what is given wins', () => {
    const ours = defineDefaults({
      network: 'regtest',
      limits: { idleTimeoutMs: 60_000, connections: 10 },
      bans: { allow: ['10.0.0.0/8'], seconds: 30 },
      log: { level: 'warn' },
    });
    const parsed = parseConfig(ours({ ...config, limits: { connections: 100 }, bans: { allow: [] } }));
    expect(parsed.network).toBe('regtest');
    expect(parsed.limits).toMatchObject({ idleTimeoutMs: 60_000, connections: 100 });
    expect(parsed.bans).toMatchObject({ allow: [], seconds: 30, minInvalid: 100 });
    expect(parsed.log.level).toBe('warn');
  });

  it('changes nothing global and neither argument', () => {
    const defaults = { limits: { connections: 10 }, bans: { allow: ['10.0.0.1'] } };
    const given = { ...config, limits: { inFlight: 5 } };
    const [beforeDefaults, beforeGiven] = [structuredClone(defaults), structuredClone(given)];
    const ours = defineDefaults(defaults);
    const merged = ours(given);
    merged.bans?.allow?.push('10.0.0.2');
    defaults.limits.connections = 99;
    expect(ours(given)).toMatchObject({ limits: { connections: 10, inFlight: 5 }, bans: { allow: ['10.0.0.1'] } });
    expect({ ...defaults, limits: { connections: 10 } }).toEqual(beforeDefaults);
    expect(given).toEqual(beforeGiven);
    expect(parseConfig({ ...config, network: 'regtest' }).limits).toEqual({});
  });

  it('reaches into no prototype', () => {
    const ours = defineDefaults(JSON.parse('{"__proto__":{"polluted":true}}'));
    ours(config);
    expect({}).not.toHaveProperty('polluted');
  });
});
