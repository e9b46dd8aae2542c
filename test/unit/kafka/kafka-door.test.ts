import { expect, test } from 'vitest';
import { parseSettings } from '../../../src/config/parse-settings.ts';
import { kafkaSettings } from '../../../src/kafka/kafka-config.ts';
import { KafkaDoor } from '../../../src/kafka/kafka-door.ts';
import { BrokerWorld } from '../broker/broker-world.ts';
import { TwinWire } from './twin-wire.ts';

async function open() {
  const world = await BrokerWorld.open();
  const refused: string[] = [];
  const door = new KafkaDoor({
    ...world.machine.env,
    onRefused: (reason, peer, detail) => refused.push(`${reason} of ${peer}: ${detail}`),
  });
  const config = parseSettings(kafkaSettings, world.settings);
  const connect = (peer: string) => {
    const wire = new TwinWire();
    const facts = { broker: world.broker, config, endpoints: () => [] };
    return { wire, connection: door.connected(wire, peer, facts) };
  };
  return { door, refused, connect };
}

test('it knows its connections, and who was refused', async () => {
  const { door, refused, connect } = await open();
  const [one] = [connect('10.0.0.1'), connect('10.0.0.2')];
  expect(door.size).toBe(2);
  one.connection.data(new Uint8Array(4).fill(0xff));
  expect(door.size).toBe(1);
  expect(refused).toEqual([
    expect.stringMatching(/^malformed request of 10\.0\.0\.1: a request of/),
  ]);
});

test('stopping it stops all connections, also those that come later', async () => {
  const { door, connect } = await open();
  const wires = [connect('a'), connect('b')].map(({ wire }) => wire);
  door.stop();
  wires.push(connect('c').wire);
  expect(wires.map(({ end }) => end)).toEqual(['graceful', 'graceful', 'graceful']);
  expect(door.size).toBe(0);
});
