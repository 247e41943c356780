import type { ConnectInfo } from '@headframe/http';
import type { JSX } from 'preact';
import { endpoints } from '../api/endpoints.js';
import { Card, Facts, PageHead } from '../components/card.js';
import { Empty, Loaded } from '../components/states.js';
import { Chip } from '../components/status.js';
import { CopyButton } from '../components/text.js';
import { difficultyText } from '../format/number.js';
import { duration } from '../format/time.js';
import { hrefOf } from '../route.js';
import { useApi } from '../services.js';

type Listener = ConnectInfo['listeners'][number];

export function Connect(): JSX.Element {
  const answer = useApi(endpoints.connect);
  return (
    <>
      <PageHead
        title="Connect"
        lead="Three settings connect a miner: the address of the pool, a username and a password."
      />
      <Loaded answer={answer} lines={12}>
        {(info) =>
          info.listeners.length === 0 ? (
            <Card title="No listener">
              <Empty title="This pool listens nowhere">Add a port under `listeners` in its configuration.</Empty>
            </Card>
          ) : (
            <>
              <div class="columns">
                <Credentials info={info} />
                <Naming info={info} />
              </div>
              {info.listeners.map((listener) => (
                <ListenerCard key={listener.url} listener={listener} />
              ))}
              <FirstTime />
            </>
          )
        }
      </Loaded>
    </>
  );
}

/** A text to paste, with its button. */
function Paste({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  return (
    <div class="paste">
      <pre>{text}</pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}

function Credentials({ info }: { readonly info: ConnectInfo }): JSX.Element {
  return (
    <Card title="Settings">
      <h3>Address</h3>
      {info.listeners.map(({ url }) => (
        <Paste key={url} text={url} label={`the address ${url}`} />
      ))}
      <h3>Username</h3>
      <Paste text={info.username} label="the sample username" />
      <p class="muted small">{info.usernameHint}</p>
      <h3>Password</h3>
      <Paste text={info.password} label="the password" />
      <p class="muted small">{info.passwordHint}</p>
    </Card>
  );
}

/** Where the username begins with the account, a worker is named behind a dot; elsewhere the name is all there is. */
function Naming({ info }: { readonly info: ConnectInfo }): JSX.Element {
  const dot = info.username.indexOf('.');
  return (
    <Card title="Names of workers">
      <p>
        {dot === -1
          ? 'Give each machine a name of its own as its username.'
          : 'Put a dot and a name of your own behind your address, another one for each machine.'}{' '}
        Each then has its own line and state.
      </p>
      <Paste
        text={dot === -1 ? 'garage-1' : `${info.username.slice(0, dot)}.garage-1`}
        label="a username with a worker's name"
      />
      <p class="muted small">Letters, digits, hyphens and underscores are safe in every firmware.</p>
    </Card>
  );
}

function behaviour({ difficulty }: Listener): string {
  if (difficulty.kind === 'fixed') return `fixed at ${difficultyText(difficulty.start)}`;
  const low = difficulty.min === null ? '' : `, never below ${difficultyText(difficulty.min)}`;
  const high = difficulty.max === null ? '' : `, never above ${difficultyText(difficulty.max)}`;
  return `begins at ${difficultyText(difficulty.start)} and adjusts${low}${high}`;
}

function ListenerCard({ listener }: { readonly listener: Listener }): JSX.Element {
  const { difficulty } = listener;
  return (
    <Card
      title={listener.url}
      tools={listener.tls ? <Chip tone="good" text="Encrypted" /> : <Chip tone="quiet" text="Plain" />}
    >
      <Facts
        isLeft
        items={[
          ['Host', <code key="host">{listener.host}</code>],
          ['Port', <code key="port">{listener.port}</code>],
          ['Difficulty', behaviour(listener)],
          ...(difficulty.targetSeconds === null
            ? []
            : [['Aims at', `a share every ${duration(difficulty.targetSeconds * 1000)}`] as const]),
        ]}
      />
      {listener.commands.map(({ program, text }) => (
        <div key={program} class="command">
          <h3>{program}</h3>
          <Paste text={text} label={`the settings for ${program}`} />
        </div>
      ))}
    </Card>
  );
}

function FirstTime(): JSX.Element {
  return (
    <Card title="The first time">
      <ol class="steps">
        <li>
          <div>
            <h3>Enter the settings</h3>
            <p class="muted">
              Open the page of your miner, find its pool settings, and paste address, username and password from above.
              Some firmwares want host and port apart.
            </p>
          </div>
        </li>
        <li>
          <div>
            <h3>Wait for the first share</h3>
            <p class="muted">
              Within a minute or two the miner counts accepted shares, and you find it on the page{' '}
              <a href={hrefOf({ page: 'miners' })}>Miners</a>, or by a search for your username without the worker's
              name.
            </p>
          </div>
        </li>
        <li>
          <div>
            <h3>If shares are rejected</h3>
            <p class="muted">
              A few stale ones are normal. For more, see <a href={hrefOf({ page: 'rejects' })}>what the reasons mean</a>
              . If nothing connects at all, check that no firewall blocks the port.
            </p>
          </div>
        </li>
      </ol>
    </Card>
  );
}
