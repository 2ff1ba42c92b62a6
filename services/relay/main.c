#include <curl/curl.h>

#include "services/relay/relay.h"

int main(int argc, char **argv)
{
	int code;

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return 70;
	code = service_main(&relay_service, argc, argv);
	curl_global_cleanup();
	return code;
}
