import { decodeAddress } from '@headframe/coins';
import type { AccountSettings, AccountSettingsChange } from '@headframe/ledger';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { type ApiContext, ledgerOf } from '../context.js';
import { ApiProblem } from '../problem.js';
import { accountParams } from '../routes/accounts.js';
import {
  type AccountSettingsJson,
  done,
  logLevel,
  pauseAnswer,
  reloadAnswer,
  settingsAnswer,
  settingsRequest,
  storageAnswer,
} from '../schemas/admin.js';
import { amountOf, percentOfPpm, ppmOfPercent, unitsOfCoins } from '../units.js';
import { defineAdmin } from './define.js';

/** Routes about the running pool, its accounts and its log. */
export function adminPoolRoutes(app: FastifyInstance, context: ApiContext): void {
  const { view, memo, options, log } = context;
  for (const [path, summary, act] of [
    ['/pause', 'Turn new miners away', () => view.pause()],
    ['/resume', 'Let new miners in again', () => view.resume()],
  ] as const) {
    defineAdmin(app, {
      method: 'POST',
      path,
      summary,
      answer: pauseAnswer,
      run: () => {
        act();
        memo.clear();
        return { isPaused: view.isPaused };
      },
    });
  }
  defineAdmin(app, {
    method: 'POST',
    path: '/template',
    summary: 'Ask the nodes for a template now',
    answer: done,
    run: () => {
      view.refreshTemplate();
      return { done: true as const };
    },
  });
  defineAdmin(app, {
    method: 'GET',
    path: '/storage',
    summary: 'How the storage is doing',
    answer: storageAnswer,
    run: () => {
      const { kind, isOk, failure, reason } = view.storage;
      return { kind, isOk, failure: failure ?? null, reason: reason ?? null };
    },
  });
  defineAdmin(app, {
    method: 'GET',
    path: '/accounts/:account/settings',
    summary: 'Settings of an account',
    params: accountParams,
    answer: settingsAnswer,
    run: async ({ params }) => settingsOf(await ledgerOf(view).accounting.settings(params.account)),
  });
  defineAdmin(app, {
    method: 'PUT',
    path: '/accounts/:account/settings',
    summary: 'Change settings of an account',
    description: 'What is left out stays; null takes a setting back.',
    params: accountParams,
    body: settingsRequest,
    answer: settingsAnswer,
    run: async ({ params, body }) => {
      const change = changeOf(body);
      if (typeof change.address === 'string') decodeAddress(view.coin, change.address);
      const settings = await ledgerOf(view).accounting.changeSettings(params.account, change);
      memo.clear();
      return settingsOf(settings);
    },
  });
  defineAdmin(app, {
    method: 'PUT',
    path: '/log-level',
    summary: 'Change what is logged, until the next start',
    body: logLevel,
    answer: logLevel,
    run: ({ body }) => {
      // The logger is pino unless the embedder brought another.
      if (!('level' in view.log)) throw new ApiProblem(501, 'not_supported', 'the logger of this pool has no level');
      view.log.level = body.level;
      log.info({ level: body.level }, 'log level changed by the API');
      return body;
    },
  });
  defineAdmin(app, {
    method: 'POST',
    path: '/reload',
    summary: 'Read the configuration again',
    description: 'Takes over what can change while the pool runs, and tells what needs a restart.',
    answer: reloadAnswer,
    run: async () => {
      if (options.reload === undefined) {
        throw new ApiProblem(501, 'not_supported', 'this pool was not started from a configuration file');
      }
      const { applied, needsRestart } = await options.reload();
      memo.clear();
      return { applied: [...applied], needsRestart: [...needsRestart] };
    },
  });
}

function settingsOf(settings: AccountSettings): AccountSettingsJson {
  return {
    account: settings.account,
    address: settings.address ?? null,
    minimumPayout: settings.minimumPayout === undefined ? null : amountOf(settings.minimumPayout),
    donationPercent: percentOfPpm(settings.donationPpm),
    isHeld: settings.isHeld,
  };
}

function changeOf(body: z.output<typeof settingsRequest>): AccountSettingsChange {
  const { address, minimumPayout, donationPercent, isHeld } = body;
  return {
    ...(address === undefined ? {} : { address }),
    ...(minimumPayout === undefined
      ? {}
      : { minimumPayout: minimumPayout === null ? null : unitsOfCoins(minimumPayout) }),
    ...(donationPercent === undefined ? {} : { donationPpm: ppmOfPercent(donationPercent) }),
    ...(isHeld === undefined ? {} : { isHeld }),
  };
}
