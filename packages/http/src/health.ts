import type { FastifyInstance } from 'fastify';
import type { ApiContext } from './context.js';

/** Why a pool cannot serve miners at the moment; empty when it can. */
export function readinessProblems({ view, pool }: Pick<ApiContext, 'view' | 'pool'>): string[] {
  const { node, job } = view.status();
  const problems: string[] = [];
  if (!node.ready) problems.push(`node: ${pool.nodes().reason ?? 'not ready'}`);
  if (job === undefined) problems.push('job: there is none yet');
  if (!view.storage.isOk) problems.push(`storage: ${view.storage.failure ?? 'failed'}`);
  problems.push(...(view.readiness?.problems ?? []));
  return problems;
}

/** `/healthz`: the process answers. `/readyz`: it can serve miners. */
export function healthRoutes(app: FastifyInstance, context: ApiContext): void {
  const config = { rateLimit: false } as const;
  const text = 'text/plain; charset=utf-8';
  app.get('/healthz', { config, schema: { hide: true } }, async (_request, reply) =>
    reply.header('cache-control', 'no-store').type(text).send('ok\n'),
  );
  app.get('/readyz', { config, schema: { hide: true } }, async (_request, reply) => {
    const problems = readinessProblems(context);
    return reply
      .code(problems.length === 0 ? 200 : 503)
      .header('cache-control', 'no-store')
      .type(text)
      .send(problems.length === 0 ? 'ok\n' : `${problems.join('\n')}\n`);
  });
}
