import { documentSettings } from '../../config/document-settings.ts';
import { allSettings } from '../../server/all-settings.ts';
import type { CommandContext } from '../command-context.ts';

/** `varve config docs`: the settings of a broker, those that topics start with included. */
export async function showSettings({ output }: CommandContext): Promise<void> {
  await output.write(`${documentSettings(Object.values(allSettings))}\n`);
}
