import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { applyEnvironment, configError } from '@headframe/pool';
import { errorMessage, PoolError } from '@headframe/primitives';
import { type ParseError, parse as parseJsonc, printParseErrorCode } from 'jsonc-parser';
import { parse as parseYaml } from 'yaml';

/** Line and column of an offset, from 1. */
function position(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function parseText(path: string, text: string): unknown {
  const ending = extname(path).toLowerCase();
  if (ending === '.yaml' || ending === '.yml') {
    try {
      return parseYaml(text);
    } catch (error) {
      throw configError([{ path, message: errorMessage(error) }]);
    }
  }
  const errors: ParseError[] = [];
  const value: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
  if (errors.length > 0) {
    throw configError(
      errors.map((e) => ({ path, message: `${printParseErrorCode(e.error)} at ${position(text, e.offset)}` })),
    );
  }
  return value;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw configError([{ path, message: `cannot be read: ${errorMessage(error)}` }]);
  }
}

/** A coin given as a path is read here, relative to the configuration file. */
async function loadCoin(config: unknown, folder: string): Promise<unknown> {
  if (typeof config !== 'object' || config === null || !('coin' in config)) return config;
  const { coin } = config;
  if (typeof coin !== 'string' || !/[./\\]/.test(coin)) return config;
  const path = resolve(folder, coin);
  return { ...config, coin: parseText(path, await readText(path)) };
}

/**
 * Reads a configuration file (JSON and JSONC, or YAML by its ending) and puts the environment's values in.
 * @throws PoolError `invalid_config`
 */
export async function loadConfig(
  path: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<unknown> {
  const file = path ?? env.HEADFRAME_CONFIG;
  let config: unknown;
  if (file !== undefined) {
    config = parseText(file, await readText(file));
    if (typeof config !== 'object' || config === null || Array.isArray(config)) {
      throw new PoolError('invalid_config', `${file}: the configuration must be an object`);
    }
  }
  const value = applyEnvironment(config, env);
  if (file === undefined && Object.keys(Object(value)).length === 0) {
    throw new PoolError('invalid_config', 'which configuration? --config FILE, or HEADFRAME_CONFIG names it');
  }
  return loadCoin(value, file === undefined ? process.cwd() : dirname(resolve(file)));
}
