import { z } from 'zod';

/** How the difficulty of a listener behaves. */
export const difficultyInfo = z
  .object({
    kind: z.enum(['fixed', 'vardiff']),
    start: z.number().describe('The difficulty itself when it is fixed.'),
    min: z.number().nullable(),
    max: z.number().nullable(),
    targetSeconds: z.number().nullable().describe('Seconds between shares that vardiff aims at.'),
  })
  .meta({ id: 'ListenerDifficulty' });

/** What a miner needs to connect. */
export const connectInfo = z
  .object({
    username: z.string().describe('Sample username.'),
    usernameHint: z.string().describe('What the username means here.'),
    password: z.string(),
    passwordHint: z.string(),
    listeners: z.array(
      z
        .object({
          url: z.string().describe('`stratum+tcp://` or `stratum+ssl://`.'),
          host: z.string(),
          port: z.int(),
          tls: z.boolean(),
          difficulty: difficultyInfo,
          commands: z.array(
            z.object({
              program: z.string().describe('Program or device.'),
              text: z.string().describe('Ready to paste; several lines where they are fields of a form.'),
            }),
          ),
        })
        .meta({ id: 'ListenerInfo' }),
    ),
  })
  .meta({ id: 'ConnectInfo', description: 'What a miner needs to connect; one entry per url.' });
export type ConnectInfo = z.infer<typeof connectInfo>;
