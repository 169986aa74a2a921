// @vitest-environment node
import { ServerConnection } from '@jupyterlab/services';
import { expect, it } from 'vitest';
import { HPCApi, HPCError } from '../src/server/api';

/** Routes that give these answers in turn, and what they were asked. */
function routes(...answers: [number, string][]): [HPCApi, string[]] {
  const asked: string[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://hub/user/ann/',
    fetch: async input => {
      const request = input as Request;
      const path = request.url.replace('http://hub/user/ann/', '');
      asked.push(`${request.method} ${path.replace(/&?\d+$/, '')}`);
      const [status, body] = answers.shift()!;
      return new Response(body, { status });
    }
  });
  return [new HPCApi(settings), asked];
}

it('a query is written as the server reads it', async () => {
  const [api, asked] = routes([200, '{"jobs": []}']);
  const query = { target: '', notebook: '', text: 'a b&c' };
  const unfolded = 'slurm~8 slurm~9';
  await api.jobs(
    { group: 'ended', ...query, by: 'state', sort: 'name', unfolded },
    200,
    100
  );
  expect(asked[0]).toMatch(
    /^GET jupyter-hpc\/jobs\?group=ended&.*&text=a\+b%26c&by=state&sort=name&unfolded=slurm%7E8\+slurm%7E9&offset=200&limit=100/
  );
});

it('an error of ours has its sentence, hint and code', async () => {
  const problem = {
    message: 'It has ended.',
    hint: 'Look.',
    code: 'hpc-error'
  };
  const [api] = routes([409, JSON.stringify(problem)]);
  const error = await api.cancel('a').catch((each: HPCError) => each);
  expect(error).toBeInstanceOf(HPCError);
  expect(error).toMatchObject({ ...problem, status: 409 });
});

it('an error of whoever stands between has its status', async () => {
  const [api] = routes([502, '<h1>Bad Gateway</h1>']);
  const error = await api.targets().catch((each: HPCError) => each);
  expect(error).toMatchObject({ status: 502, hint: '', code: '' });
});

it('resources of a resubmission travel, and its id comes back', async () => {
  const [api, asked] = routes([201, '{"id": "b"}']);
  expect(await api.resubmit('a', { resources: { memory: '8G' } })).toBe('b');
  expect(asked).toEqual(['POST jupyter-hpc/jobs/a/resubmit?']);
});

it('a server without lineage is asked for it once', async () => {
  const [api, asked] = routes([404, 'Not Found']);
  expect(await api.lineage('a')).toBeNull();
  expect(await api.lineage('b')).toBeNull();
  expect(asked.length).toBe(1);
});

it('a run without lineage leaves that of others', async () => {
  const gone = '{"message": "gone", "hint": "", "code": "job-not-found"}';
  const [api] = routes([404, gone], [200, '{"svg": "", "text": "made"}']);
  expect(await api.lineage('a')).toBeNull();
  expect((await api.lineage('b'))?.text).toBe('made');
});
