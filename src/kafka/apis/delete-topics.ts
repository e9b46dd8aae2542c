import type { DeletedTopic, TopicChoice } from '../../controller/change-topics.ts';
import { type Api, api } from '../api.ts';
import { array, arrayOf, int16, int32, type MessageOf, string, uuid } from '../fields.ts';
import { errorFields, outcomeOf } from '../kafka-errors.ts';
import { idBytes, idText, isTopicId } from '../topics.ts';
import { NO_UUID, STRING } from '../wire-types.ts';

const request = {
  topics: array('6+', {
    name: string('6+', { nullable: '6+', default: null }),
    topicId: uuid('6+'),
  }),
  topicNames: arrayOf('0-5', STRING),
  timeoutMs: int32('0+'),
};

const response = {
  throttleTimeMs: int32('1+'),
  responses: array('0+', {
    name: string('0+', { nullable: '6+' }),
    topicId: uuid('6+'),
    errorCode: int16('0+'),
    errorMessage: string('5+', { nullable: '5+', default: null }),
  }),
};

const IDS_SINCE = 6;

type Named = MessageOf<typeof request>['topics'][number];

/** Whoever gives a name and an id is refused: they may be of two topics, and only one was meant. */
function choiceOf({ name, topicId }: Named): TopicChoice {
  if (name === null) return { topicId: idText(topicId) };
  return isTopicId(topicId) ? { name, topicId: idText(topicId) } : { name };
}

/** Deletes topics, by name or by id. */
export const deleteTopics: Api = api(
  { key: 20, name: 'DeleteTopics', versions: '1-6', flexible: '4+', request, response },
  async ({ topics, topicNames }, { broker, version }) => {
    const choices: TopicChoice[] =
      version < IDS_SINCE ? topicNames.map((name) => ({ name })) : topics.map(choiceOf);
    let deleted: readonly DeletedTopic[];
    try {
      deleted = await broker.deleteTopics(choices);
    } catch (thrown) {
      const error = outcomeOf(thrown);
      deleted = choices.map((choice) => ({ name: '', ...choice, error }));
    }
    return {
      throttleTimeMs: 0,
      responses: deleted.map(({ name, topicId, error }) => ({
        // Who asked for an id that no topic has is told that id again, and no name.
        name: name === '' && version >= IDS_SINCE ? null : name,
        topicId: topicId === undefined ? NO_UUID : idBytes(topicId),
        ...errorFields(error),
      })),
    };
  },
);
