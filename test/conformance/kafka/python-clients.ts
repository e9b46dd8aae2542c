import { fileURLToPath } from 'node:url';
import { pythonEnvironment } from '../python-environment.ts';
import type { Client, Program } from './client.ts';

async function pythonProgram(id: string): Promise<Program> {
  const folder = fileURLToPath(new URL(`${id}/`, import.meta.url));
  const file = await pythonEnvironment(id, `${folder}requirements.txt`);
  return { file, args: [`${folder}main.py`], env: { PYTHONDONTWRITEBYTECODE: '1' } };
}

/** librdkafka 2.16. */
export const confluentKafka: Client = {
  name: 'confluent-kafka 2.16 (Python, librdkafka)',
  id: 'confluent-kafka',
  isLibrdkafka: true,
  prepare: () => pythonProgram('confluent-kafka'),
};

/** Pure Python. */
export const kafkaPython: Client = {
  name: 'kafka-python 3.0',
  id: 'kafka-python',
  prepare: () => pythonProgram('kafka-python'),
};
