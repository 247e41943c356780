import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { errorMessage, PoolError } from '@headframe/primitives';
import { applyProxyEnvironment, type ProxyConfig, parseProxyConfig, proxyConfigError } from '@headframe/proxy';
import { type ParseError, parse as parseJsonc, printParseErrorCode } from 'jsonc-parser';
import { parse as parseYaml } from 'yaml';

/** Line and column of an offset, from 1. */
function position(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function parseText(path: string, text: string): unknown {
  if (/^\.ya?ml$/i.test(extname(path))) {
    try {
      return parseYaml(text);
    } catch (error) {
      throw proxyConfigError([{ path, message: errorMessage(error) }]);
    }
  }
  const errors: ParseError[] = [];
  const value: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
  if (errors.length === 0) return value;
  throw proxyConfigError(
    errors.map(({ error, offset }) => ({
      path,
      message: `${printParseErrorCode(error)} at ${position(text, offset)}`,
    })),
  );
}

/**
 * Reads a configuration file (JSON and JSONC, or YAML by its ending), puts the environment's values in, and checks it.
 * @throws PoolError `invalid_config`
 */
export async function loadConfig(
  path: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ProxyConfig> {
  const file = path ?? env.HEADFRAME_PROXY_CONFIG;
  let value: unknown;
  if (file !== undefined) {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      throw proxyConfigError([{ path: file, message: `cannot be read: ${errorMessage(error)}` }]);
    }
    value = parseText(file, text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw proxyConfigError([{ path: file, message: 'the configuration must be an object' }]);
    }
  }
  const given = applyProxyEnvironment(value, env);
  if (file === undefined && Object.keys(Object(given)).length === 0) {
    throw new PoolError('invalid_config', 'which configuration? --config FILE, or HEADFRAME_PROXY_CONFIG names it');
  }
  return parseProxyConfig(given);
}
